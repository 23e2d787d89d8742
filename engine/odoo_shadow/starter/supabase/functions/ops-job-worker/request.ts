/** Reads what a caller asks for; nothing of it is taken unchecked. */

import { quoted, Refusal } from "../_shared/answers.ts";
import { isObject, readBounded } from "../_shared/calls.ts";
import { nearest } from "../_shared/nearest.ts";
import {
  type Job,
  jobOf,
  JOBS,
  type Parameters,
  parametersOf,
} from "./jobs.ts";

const LARGEST_BODY = 64 * 1024;
const LONGEST_KEY = 200;
const SECONDS_TO_SEND = 10;
const KEYS = ["job_slug", "params", "idempotency_key"];
const RUN_ID = /^[A-Za-z0-9_.~:+-]{1,250}$/;

/** A job that somebody wants to start. */
export interface Wanted {
  readonly job: Job;
  readonly params: Parameters;
  /** The caller's own name for this one start. */
  readonly key?: string;
}

/** Read the request to start a job. */
export async function readRequest(request: Request): Promise<Wanted> {
  const document = parsed(await bodyOf(request));
  for (const name of Object.keys(document)) {
    if (!KEYS.includes(name)) throw unknownKey(name);
  }
  const job = jobOf(document.job_slug);
  const params = document.params ?? {};
  if (!isObject(params)) {
    throw new Refusal(
      400,
      "wrong_body",
      '"params" has to be an object, such as {"full": true}.',
    );
  }
  const key = keyOf(
    document.idempotency_key,
    request.headers.get("Idempotency-Key"),
  );
  return { job, params: parametersOf(job, params), key };
}

/** Read the question for a run: its id, and the jobs that it may be one of. */
export function readQuestion(url: URL): { runId: string; jobs: Job[] } {
  // Airflow's own ids have a "+", which a query that is not encoded turns into a space.
  const runId = url.searchParams.get("run_id")?.replaceAll(" ", "+") ?? "";
  // An id of dots alone would lead to another address of the API.
  if (!RUN_ID.test(runId) || /^\.+$/.test(runId)) {
    throw new Refusal(
      400,
      "wrong_run_id",
      'Name a run by its id, as the start has answered it: "?run_id=…".',
    );
  }
  const slug = url.searchParams.get("job_slug");
  return { runId, jobs: slug === null ? [...JOBS.values()] : [jobOf(slug)] };
}

async function bodyOf(request: Request): Promise<ArrayBuffer> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), SECONDS_TO_SEND * 1000);
  });
  const body = await Promise.race([
    readBounded(request.body, LARGEST_BODY),
    late,
  ]).finally(() => clearTimeout(timer));
  if (body === "late") {
    throw new Refusal(
      408,
      "slow_body",
      `The request was not sent within ${SECONDS_TO_SEND} seconds.`,
    );
  }
  if (body === null) {
    throw new Refusal(
      413,
      "too_large",
      `The request is larger than ${LARGEST_BODY} bytes: name fewer models, or use patterns.`,
    );
  }
  return body;
}

function parsed(body: ArrayBuffer): Record<string, unknown> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // told below: the parser's own words would repeat the text
  }
  throw new Refusal(
    400,
    "wrong_body",
    'The body has to be a JSON object, such as {"job_slug": "sync_odoo_shadow"}.',
  );
}

function unknownKey(name: string): Refusal {
  const meant = nearest(name, KEYS);
  const hint = meant === undefined
    ? ': parameters of the job belong into "params".'
    : `: did you mean "${meant}"?`;
  return new Refusal(
    400,
    "unknown_key",
    `The request has ${quoted(name)}, which nobody reads${hint}`,
  );
}

function keyOf(inBody: unknown, inHeader: string | null): string | undefined {
  const given = inBody ?? inHeader ?? undefined;
  if (given === undefined) return undefined;
  if (
    typeof given !== "string" || given.length > LONGEST_KEY || !given.trim()
  ) {
    throw new Refusal(
      400,
      "wrong_idempotency_key",
      `The idempotency key has to be a text of 1 to ${LONGEST_KEY} characters.`,
    );
  }
  if (inHeader !== null && inHeader !== given) {
    throw new Refusal(
      400,
      "wrong_idempotency_key",
      "The body and the header Idempotency-Key have different keys.",
    );
  }
  return given;
}
