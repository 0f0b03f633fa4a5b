export { formatSeconds } from "./seconds.js";
export { commandColumn } from "./command-column.js";
export { flagSkipped, formatRow, formatRows, rowFlags, writeRow } from "./format.js";
export { kindOfFlag, parseRow, statusRows } from "./parse.js";
export { parsePythonBytesRepr, pythonReprOfBytes } from "./python-bytes.js";
export { pythonReprOfStr } from "./python-text.js";
export { returnCodeOf, rowOfReport } from "./report-row.js";
export { type CopiedRows, type RowKind, type StatusRow, statusHeader } from "./row.js";
export { snippetText } from "./snippet.js";
