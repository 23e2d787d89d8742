/** Calls to other servers: bounded in time and size, never redirected. */

import { Refusal } from "./answers.ts";

const LARGEST_ANSWER = 4 * 1024 * 1024;

/** What a server has answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ArrayBuffer;
}

/** Read at most `most` bytes; null when there are more. */
export async function readBounded(
  body: ReadableStream<Uint8Array> | null,
  most: number,
): Promise<ArrayBuffer | null> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    length += piece.byteLength;
    if (length > most) return null; // leaving the loop cancels the stream
    pieces.push(piece);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole.buffer;
}

/**
 * Call a server and read its answer.
 *
 * @param who the server, as sentences name it.
 * @param setting the variable that leads to it.
 * @param deadline ends the call, the reading of its answer included.
 */
export async function call(
  who: string,
  setting: string,
  url: string,
  init: RequestInit,
  deadline: AbortSignal,
): Promise<Answer> {
  let status: number, headers: Headers, body: ArrayBuffer | null;
  try {
    // A redirect could lead the credentials to anybody.
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      signal: deadline,
    });
    ({ status, headers } = response);
    body = await readBounded(response.body, LARGEST_ANSWER);
  } catch {
    if (deadline.aborted) {
      throw new Refusal(
        504,
        "upstream_slow",
        `${who} has not answered in time: see whether it is overloaded, then try again with the same idempotency key.`,
      );
    }
    throw new Refusal(
      502,
      "upstream_unreachable",
      `${who} cannot be reached from the function: check ${setting} and that this address is open to it.`,
    );
  }
  if (status >= 300 && status < 400 && status !== 304) {
    throw new Refusal(
      502,
      "upstream_redirects",
      `${who} redirects to another address: set ${setting} to the one where it answers itself.`,
    );
  }
  if (body === null) {
    throw new Refusal(
      502,
      "upstream_unclear",
      `${who} has answered more than ${LARGEST_ANSWER} bytes: check ${setting}.`,
    );
  }
  return { status, headers, body };
}

/** Read an answer as a JSON object. */
export function objectIn(
  who: string,
  setting: string,
  from: Answer,
): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(from.body));
    if (isObject(value)) return value;
  } catch {
    // it is told below, without its text
  }
  throw unclear(who, setting);
}

/** A server that answers otherwise than it should. */
export function unclear(who: string, setting: string): Refusal {
  return new Refusal(
    502,
    "upstream_unclear",
    `What answers at ${setting} does not answer as ${who} does: check the address.`,
  );
}

/** Whether a value of JSON is an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
