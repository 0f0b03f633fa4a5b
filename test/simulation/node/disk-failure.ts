/** As Node throws it. */
export function failure(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: a simulated disk says so, ${call}`), { code });
}
