/**
 * shadow-read: chosen reads of the shadow, which caches need not read twice.
 *
 *     GET /shadow-read/NAME?column=eq.value&limit=50     (NAME is one of reads.ts)
 *
 * Each answer carries a version of its rows as ETag. Whoever sends it back as
 * If-None-Match is told 304 without any row being read, until a sync has
 * changed one. All calls are made with the caller's own key and token: the
 * function shows nothing that the caller could not read without it.
 */

import { answered, Refusal } from "../_shared/answers.ts";
import { credentialsOf } from "./caller.ts";
import { type Question, questionIn } from "./question.ts";
import { Rest } from "./rest.ts";

// Dashboards run in pages of other addresses. No cookie is involved: a page can
// send only keys that it has.
const ANY_PAGE = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": "ETag, Content-Range",
};
const PREFLIGHT = {
  ...ANY_PAGE,
  "Access-Control-Allow-Methods": "GET",
  "Access-Control-Allow-Headers":
    "authorization, apikey, if-none-match, content-type, x-client-info",
  "Access-Control-Max-Age": "3600",
};

async function serve(request: Request): Promise<Response> {
  if (request.method === "OPTIONS") {
    return new Response(null, { status: 204, headers: PREFLIGHT });
  }
  if (request.method !== "GET") {
    throw new Refusal(405, "method_not_allowed", "Rows are read by GET.", {}, {
      Allow: "GET, OPTIONS",
    });
  }
  const question = questionIn(new URL(request.url));
  const credentials = credentialsOf(request);
  const rest = new Rest(credentials);
  // The version before the rows: rows that come in between get an old version,
  // and are read once more. The other way round they would stay unseen.
  const version = await rest.version(question.read.tables);
  const tag = version && await tagOf(question, version, credentials);
  const headers = headersOf(question, tag);
  if (tag && isKnown(request.headers.get("If-None-Match"), tag)) {
    return new Response(null, { status: 304, headers });
  }
  const { body, range } = await rest.rows(question);
  headers.set("Content-Type", "application/json; charset=utf-8");
  if (range !== null) headers.set("Content-Range", range);
  return new Response(body, { status: 200, headers });
}

/**
 * Return the ETag of an answer.
 *
 * The caller's key and token are in it, so that no cache takes one caller's
 * rows for another's, whatever policies the tables have.
 */
async function tagOf(
  question: Question,
  version: string,
  credentials: Record<string, string>,
): Promise<string> {
  const { name, read, query } = question;
  const parts = [name, read, query.toString(), version, credentials];
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `"${btoa(String.fromCharCode(...digest.slice(0, 24)))}"`;
}

/**
 * Return what caches have to know.
 *
 * "private": only the caller's own cache may keep the rows. "no-cache": it may
 * show them only after it has asked whether they still are the same; a read
 * with a maxAge waits so many seconds before.
 */
function headersOf(question: Question, tag: string | null): Headers {
  const seconds = question.read.maxAge ?? 0;
  const fresh = seconds > 0
    ? `max-age=${seconds}, must-revalidate`
    : "no-cache";
  const headers = new Headers({
    ...ANY_PAGE,
    "Vary": "Authorization, apikey",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": tag === null ? "no-store" : `private, ${fresh}`,
  });
  if (tag !== null) headers.set("ETag", tag);
  return headers;
}

/** Whether the caller has this answer already. Caches on the way may have marked its tag as weak. */
function isKnown(ifNoneMatch: string | null, tag: string): boolean {
  const tags = ifNoneMatch?.split(",") ?? [];
  return tags.some((one) => one.trim().replace(/^W\//, "") === tag);
}

Deno.serve(async (request) => {
  const answer = await answered(() => serve(request));
  for (const [name, value] of Object.entries(ANY_PAGE)) {
    answer.headers.set(name, value);
  }
  return answer;
});
