/** One word for bash, whatever it holds. */
export function bashWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
