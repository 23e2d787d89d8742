/** What the functions answer: a JSON document, or a refusal that is one. */

const HEADERS = {
  "Content-Type": "application/json; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
};

/**
 * A request that is not served.
 *
 * `code` is for programs and stays as it is; the message is one sentence for
 * people; `more` stands beside both in the answer.
 */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly more: Record<string, unknown> = {},
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/** Answer with a document. */
export function answer(
  status: number,
  document: Record<string, unknown>,
  headers: Record<string, string> = {},
): Response {
  const body = JSON.stringify(document) + "\n";
  return new Response(body, { status, headers: { ...HEADERS, ...headers } });
}

/**
 * Serve a request, and turn what goes wrong into an answer.
 *
 * What nobody foresaw is answered without its text: it may hold a secret.
 */
export async function answered(
  serve: () => Promise<Response>,
): Promise<Response> {
  try {
    return await serve();
  } catch (error) {
    if (error instanceof Refusal) {
      const document = {
        error: error.code,
        message: error.message,
        ...error.more,
      };
      return answer(error.status, document, error.headers);
    }
    console.error(
      "unforeseen:",
      error instanceof Error ? error.name : typeof error,
    );
    return answer(500, {
      error: "internal",
      message:
        "The function has failed for a reason that it does not know: this is an error of the function itself.",
    });
  }
}

/** Return a text as people may see it: on one line, quoted, not endless. */
export function quoted(text: string, longest = 60): string {
  const shown = [...text.slice(0, longest)]
    .map((char) => /[\p{C}\p{Z}]/u.test(char) && char !== " " ? "?" : char)
    .join("");
  return `"${shown}${text.length > longest ? "…" : ""}"`;
}
