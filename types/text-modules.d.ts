/** Scripts in other languages are imported as text; the bundler and the test runner inline them. */
declare module "*.lua" {
  const text: string;
  export default text;
}
declare module "*.pl" {
  const text: string;
  export default text;
}
declare module "*.sh" {
  const text: string;
  export default text;
}
