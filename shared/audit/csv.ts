/** A spreadsheet takes a cell that starts so for a formula, and runs it. */
const FORMULA = /^[\s\u0000]*[=+\-@\t\r\n＝＋－＠]/u;

/** One cell, always quoted; what a spreadsheet would take for a formula starts with an apostrophe. */
export function csvCell(value: string): string {
  const text = FORMULA.test(value) ? `'${value}` : value;
  return `"${text.replaceAll('"', '""')}"`;
}

/** A line of RFC 4180. */
export const csvLine = (cells: readonly string[]): string => `${cells.map(csvCell).join(',')}\r\n`;

/** Spreadsheets take a file without it for one in an older encoding. */
export const BYTE_ORDER_MARK = '\ufeff';
