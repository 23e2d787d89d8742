/** What PostgREST answers: the version of tables, and rows. */

import { Refusal } from "../_shared/answers.ts";
import { type Answer, call, unclear } from "../_shared/calls.ts";
import { address, misconfigured, setting } from "../_shared/settings.ts";
import type { Question } from "./question.ts";

const WHO = "The project's REST API";
const URL_SETTING = "SUPABASE_URL";
const VERSION = "odoo_shadow_read_version";
const SECONDS = 30;

/** The project's PostgREST, asked as one caller. */
export class Rest {
  readonly #url: string;
  readonly #deadline = AbortSignal.timeout(SECONDS * 1000);

  constructor(readonly credentials: Record<string, string>) {
    const url = setting(URL_SETTING);
    if (url === undefined) {
      throw misconfigured(
        "SUPABASE_URL is not set: Supabase sets it, other servers have to.",
      );
    }
    // Within a project's own net, a local one for instance, the gateway has no certificate.
    this.#url = `${address(URL_SETTING, url, true)}/rest/v1`;
  }

  /** Return the version of the rows that the caller sees of some tables; null when there is none. */
  async version(tables: readonly string[]): Promise<string | null> {
    const answer = await this.#ask(`/rpc/${VERSION}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ p_tables: tables }),
    });
    // A shadow that a former version made has no such function.
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw refused(answer.status);
    const version = parsed(answer);
    if (version !== null && typeof version !== "string") {
      throw unclear(WHO, URL_SETTING);
    }
    return version;
  }

  /** Return the rows, as JSON that has been looked at. */
  async rows(
    question: Question,
  ): Promise<{ body: ArrayBuffer; range: string | null }> {
    const answer = await this.#ask(
      `/${encodeURIComponent(question.read.from)}?${question.query}`,
      {
        method: "GET",
      },
    );
    if (answer.status !== 200 && answer.status !== 206) {
      throw refused(answer.status);
    }
    if (!Array.isArray(parsed(answer))) throw unclear(WHO, URL_SETTING);
    return { body: answer.body, range: answer.headers.get("Content-Range") };
  }

  async #ask(path: string, init: RequestInit): Promise<Answer> {
    const headers = {
      Accept: "application/json",
      ...init.headers,
      ...this.credentials,
    };
    return await call(
      WHO,
      URL_SETTING,
      this.#url + path,
      { ...init, headers },
      this.#deadline,
    );
  }
}

function parsed(answer: Answer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(answer.body));
  } catch {
    throw unclear(WHO, URL_SETTING);
  }
}

/** The status is passed on, the words are not: they name columns, rows and functions. */
function refused(status: number): Refusal {
  const sentences = new Map([
    [400, "A filter has a value that its column cannot be compared with."],
    [401, "The API refuses the key or token: it may have expired."],
    [403, "This caller may not read what the read is made of."],
    [
      404,
      "The shadow has no such table for this caller: it is not mirrored, or not exposed.",
    ],
    [416, 'There are fewer rows than "offset".'],
    [429, "The API asks for fewer requests."],
  ]);
  const sentence = sentences.get(status);
  if (sentence !== undefined) {
    return new Refusal(status, "rest_refuses", sentence);
  }
  const passed = status >= 500 ? status : 502;
  return new Refusal(
    passed,
    "rest_in_trouble",
    `The project's REST API has answered with status ${status}: its log says why.`,
  );
}
