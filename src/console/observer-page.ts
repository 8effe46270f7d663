export const observerPage = '';
export const observerHeaders = {};
