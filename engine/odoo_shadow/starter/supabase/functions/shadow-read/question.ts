/** Which read a caller wants, with which filters; whatever is not in reads.ts is refused. */

import { quoted, Refusal } from "../_shared/answers.ts";
import { nearest } from "../_shared/nearest.ts";
import { type Read, READS } from "./reads.ts";

const LONGEST_VALUE = 500;
const MOST_FILTERS = 20;
const LARGEST_OFFSET = 1_000_000;

/** A read, and the query by which PostgREST answers it. */
export interface Question {
  readonly name: string;
  readonly read: Read;
  readonly query: URLSearchParams;
}

/** Read a question from an address. */
export function questionIn(url: URL): Question {
  const name = url.pathname.replace(/^.*\/shadow-read(\/|$)/, "");
  const read = Object.hasOwn(READS, name) ? READS[name] : undefined;
  if (read === undefined) throw unknownRead(name);
  const asked = [...url.searchParams];
  if (asked.length > MOST_FILTERS) {
    throw wrong(`There are more than ${MOST_FILTERS} parameters.`);
  }
  const query = new URLSearchParams({
    select: read.select,
    order: read.order,
    limit: String(numberIn(asked, "limit", 1, read.limit, read.limit)),
    offset: String(numberIn(asked, "offset", 0, LARGEST_OFFSET, 0)),
  });
  for (const [column, value] of asked) {
    if (column === "limit" || column === "offset") continue;
    check(read, column, value);
    query.append(column, value);
  }
  query.sort(); // the same question in another order is the same answer
  return { name, read, query };
}

function check(read: Read, column: string, value: string): void {
  if (!Object.hasOwn(read.filters, column)) {
    const known = [...Object.keys(read.filters), "limit", "offset"];
    const meant = nearest(column, known);
    throw wrong(
      `${quoted(column)} is not a parameter of this read${
        meant === undefined
          ? `: there are ${known.join(", ")}.`
          : `: did you mean "${meant}"?`
      }`,
    );
  }
  const operators = read.filters[column];
  const operator = value.slice(0, value.indexOf("."));
  if (!operators.some((one) => one === operator)) {
    throw wrong(
      `The filter "${column}" takes ${
        operators.map((one) => `${one}.…`).join(", ")
      }, such as ${column}=${operators[0]}.1.`,
    );
  }
  if (value.length > LONGEST_VALUE) {
    throw wrong(
      `The filter "${column}" is longer than ${LONGEST_VALUE} characters.`,
    );
  }
}

function numberIn(
  asked: [string, string][],
  name: string,
  least: number,
  most: number,
  otherwise: number,
): number {
  const given = asked.filter(([key]) => key === name).map(([, value]) => value);
  if (given.length === 0) return otherwise;
  const number = Number(given[0]);
  if (
    given.length === 1 && /^\d{1,9}$/.test(given[0]) && number >= least &&
    number <= most
  ) {
    return number;
  }
  throw wrong(
    `"${name}" has to be one whole number from ${least} to ${most}.`,
  );
}

function unknownRead(name: string): Refusal {
  const known = Object.keys(READS);
  return new Refusal(
    404,
    "unknown_read",
    `There is no read ${quoted(name)}: there are ${known.join(", ")}.`,
    { reads: known },
  );
}

function wrong(sentence: string): Refusal {
  return new Refusal(400, "wrong_query", sentence);
}
