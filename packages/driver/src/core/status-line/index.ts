export { formatSeconds } from "./seconds.js";
export { commandColumn } from "./command-column.js";
export { formatRow, formatRows, rowFlags, writeCopied, writeRow } from "./format.js";
export { kindOfFlag, parseRow } from "./parse.js";
export { parsePythonBytesRepr, pythonReprOfBytes } from "./python-bytes.js";
export { pythonReprOfStr } from "./python-text.js";
export { returnCodeOf, rowOfReport } from "./report-row.js";
export { type CopiedRow, type RowKind, type StatusRow, statusHeader, statusRow } from "./row.js";
export { snippetText } from "./snippet.js";
