/** What a command line's main function answers is its exit status; why it failed is told in a line. */
export async function endWith(status: Promise<number>): Promise<void> {
  try {
    process.exitCode = await status;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
