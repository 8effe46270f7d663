/** By what was done, one character for each byte; `Date` and the time of a `retry` are left out. */
export const recorded: Readonly<Record<string, string>> = {
  'nothing: all that is allowed, and what is not a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001b{"type":"authorization_ok"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081S{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }\u00813{"type":"publish","channel":"c","content":"binary"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081< { "channel" : "d", "since":"0000000:1", "type":"publish" } \u0081@{"type":"publish","channel":"d","content":"\u00c3\u00a9","id":1,"key":"k"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'nothing: a pattern is no channel':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'nothing: a ping in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'nothing: a pong in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'nothing: a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'nothing: a publish to a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'nothing: one topic too many':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'nothing: binary that is no text':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'nothing: a close':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00e8',
  'nothing: a message that is too big':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00f1',
  'pusu: all that is allowed, and what is not a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001b{"type":"authorization_ok"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081S{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }\u00813{"type":"publish","channel":"c","content":"binary"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081< { "channel" : "d", "since":"0000000:1", "type":"publish" } \u0081@{"type":"publish","channel":"d","content":"\u00c3\u00a9","id":1,"key":"k"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu: a pattern is no channel':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu: a ping in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu: a pong in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu: a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'pusu: a publish to a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'pusu: one topic too many':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'pusu: binary that is no text':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu: a close':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00e8',
  'pusu: a message that is too big':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00f1',
  'http-only: all that is allowed, and what is not a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001b{"type":"authorization_ok"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081S{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }\u00813{"type":"publish","channel":"c","content":"binary"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081< { "channel" : "d", "since":"0000000:1", "type":"publish" } \u0081@{"type":"publish","channel":"d","content":"\u00c3\u00a9","id":1,"key":"k"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'http-only: a pattern is no channel':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'http-only: a ping in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'http-only: a pong in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'http-only: a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'http-only: a publish to a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'http-only: one topic too many':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'http-only: binary that is no text':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'http-only: a close':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00e8',
  'http-only: a message that is too big':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00f1',
  'http-only, pusu: all that is allowed, and what is not a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001b{"type":"authorization_ok"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081S{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }\u00813{"type":"publish","channel":"c","content":"binary"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081< { "channel" : "d", "since":"0000000:1", "type":"publish" } \u0081@{"type":"publish","channel":"d","content":"\u00c3\u00a9","id":1,"key":"k"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'http-only, pusu: a pattern is no channel':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'http-only, pusu: a ping in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'http-only, pusu: a pong in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'http-only, pusu: a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'http-only, pusu: a publish to a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'http-only, pusu: one topic too many':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'http-only, pusu: binary that is no text':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'http-only, pusu: a close':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00e8',
  'http-only, pusu: a message that is too big':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00f1',
  'pusu, http-only: all that is allowed, and what is not a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001b{"type":"authorization_ok"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081S{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }\u00813{"type":"publish","channel":"c","content":"binary"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081< { "channel" : "d", "since":"0000000:1", "type":"publish" } \u0081@{"type":"publish","channel":"d","content":"\u00c3\u00a9","id":1,"key":"k"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu, http-only: a pattern is no channel':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu, http-only: a ping in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu, http-only: a pong in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu, http-only: a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'pusu, http-only: a publish to a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'pusu, http-only: one topic too many':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'pusu, http-only: binary that is no text':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu, http-only: a close':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00e8',
  'pusu, http-only: a message that is too big':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00f1',
  'mqtt, http-only: all that is allowed, and what is not a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001b{"type":"authorization_ok"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081S{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }\u00813{"type":"publish","channel":"c","content":"binary"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081< { "channel" : "d", "since":"0000000:1", "type":"publish" } \u0081@{"type":"publish","channel":"d","content":"\u00c3\u00a9","id":1,"key":"k"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'mqtt, http-only: a pattern is no channel':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'mqtt, http-only: a ping in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'mqtt, http-only: a pong in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'mqtt, http-only: a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'mqtt, http-only: a publish to a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'mqtt, http-only: one topic too many':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'mqtt, http-only: binary that is no text':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'mqtt, http-only: a close':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00e8',
  'mqtt, http-only: a message that is too big':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00f1',
  'bearer, x: all that is allowed, and what is not a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: bearer\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001b{"type":"authorization_ok"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081S{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }\u00813{"type":"publish","channel":"c","content":"binary"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081< { "channel" : "d", "since":"0000000:1", "type":"publish" } \u0081@{"type":"publish","channel":"d","content":"\u00c3\u00a9","id":1,"key":"k"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'bearer, x: a pattern is no channel':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: bearer\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'bearer, x: a ping in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: bearer\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'bearer, x: a pong in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: bearer\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'bearer, x: a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: bearer\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'bearer, x: a publish to a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: bearer\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'bearer, x: one topic too many':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: bearer\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'bearer, x: binary that is no text':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: bearer\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'bearer, x: a close':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: bearer\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00e8',
  'bearer, x: a message that is too big':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: bearer\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00f1',
  'pusu, bearer, x: all that is allowed, and what is not a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001b{"type":"authorization_ok"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081S{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }\u00813{"type":"publish","channel":"c","content":"binary"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081< { "channel" : "d", "since":"0000000:1", "type":"publish" } \u0081@{"type":"publish","channel":"d","content":"\u00c3\u00a9","id":1,"key":"k"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu, bearer, x: a pattern is no channel':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu, bearer, x: a ping in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu, bearer, x: a pong in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu, bearer, x: a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'pusu, bearer, x: a publish to a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'pusu, bearer, x: one topic too many':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'pusu, bearer, x: binary that is no text':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'pusu, bearer, x: a close':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00e8',
  'pusu, bearer, x: a message that is too big':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: pusu\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00f1',
  'bearer, x, http-only, pusu: all that is allowed, and what is not a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001b{"type":"authorization_ok"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081S{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }\u00813{"type":"publish","channel":"c","content":"binary"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081< { "channel" : "d", "since":"0000000:1", "type":"publish" } \u0081@{"type":"publish","channel":"d","content":"\u00c3\u00a9","id":1,"key":"k"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'bearer, x, http-only, pusu: a pattern is no channel':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'bearer, x, http-only, pusu: a ping in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'bearer, x, http-only, pusu: a pong in a frame':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'bearer, x, http-only, pusu: a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'bearer, x, http-only, pusu: a publish to a channel that is too long':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'bearer, x, http-only, pusu: one topic too many':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0081%{"type":"subscribe_ok","channel":"d"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'bearer, x, http-only, pusu: binary that is no text':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081#{"type":"unknown_message_received"}\u0088\u001a\u0003\u00f0unknown_message_received',
  'bearer, x, http-only, pusu: a close':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00e8',
  'bearer, x, http-only, pusu: a message that is too big':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: http-only\r\n\r\n\u0081\u0010{"type":"hello"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0002\u0003\u00f1',
  'a wrong password':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001f{"type":"authorization_failed"}\u0088\u0016\u0003\u00f0authorization_failed',
  'a right password':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001b{"type":"authorization_ok"}\u0081%{"type":"subscribe_ok","channel":"c"}\u0088\u0000',
  'no password':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\u001c{"type":"permission_denied"}\u0088\u0013\u0003\u00f0permission_denied',
  'a wrong token among the subprotocols':
    'HTTP/1.1 401 Unauthorized\r\nContent-Length: 13\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\nWWW-Authenticate: Bearer\r\n\r\nUnauthorized\n',
  'messages at pusu':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0010{"type":"hello"}\u0081\'{"type":"subscribe_ok","channel":"d/t"}\u0081%{"type":"subscribe_ok","channel":"c"}\u00816{"type":"publish","channel":"d/t","content":"text \u00c3\u00a9"}\u00818{"type":"publish","channel":"d/t","content":"binary \u00c3\u00a9"}\u00813{"type":"publish","channel":"d/t","content":"last"}\u0081S{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }\u0081-{"type":"publish","channel":"c","content":""}\u00817{"type":"publish","channel":"c","content":"two\\nlines"}\u00811{"type":"publish","channel":"c","content":"ping"}\u00818{"type":"publish","channel":"c","content":"last of all"}\u0088\u0002\u0003\u00e8',
  'messages at pinghub':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u001c[1.50, 12345678901234567890]\u0081\ttwo\nlines\u0081\u0004ping\u0081\u000blast of all\u0088\u0002\u0003\u00e8',
  'messages at subscriber':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u0081\u0007text \u00c3\u00a9\u0082\tbinary \u00c3\u00a9\u0082\u0001\u00ff\u0081\u0004last\u0088\u0002\u0003\u00e8',
  'a stream':
    'HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: Retry-After\r\nContent-Type: text/event-stream; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\nConnection: close\r\n\r\n:\nretry: N\n\ndata: [1.50, 12345678901234567890]\n\ndata: two\ndata: lines\n\n',
};
