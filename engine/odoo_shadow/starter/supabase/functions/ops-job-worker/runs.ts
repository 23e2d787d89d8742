/** What is the same wherever jobs run. */

import { Refusal } from "../_shared/answers.ts";
import { misconfigured, setting } from "../_shared/settings.ts";
import type { Job } from "./jobs.ts";
import type { Wanted } from "./request.ts";

const SECONDS = 20;
const MOST_SECONDS = 120;

/** What a run is doing; the last two are its end. */
export type State = "queued" | "running" | "success" | "failed";

/** A run, as it is answered. */
export interface Run {
  readonly job_slug: string;
  readonly run_id: string;
  readonly state: State;
  /** Whether it is over. */
  readonly ended: boolean;
  /** Where people see it. */
  readonly url: string | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  /** What the run says of itself: models and rows. */
  readonly note: string | null;
}

/** Whatever runs the jobs. */
export interface Scheduler {
  /** Start a job, unless this key has started it before or another run of it is active. */
  start(wanted: Wanted): Promise<{ run: Run; isNew: boolean }>;
  /** Look for a run of any of the jobs. */
  find(runId: string, jobs: Job[]): Promise<Run | undefined>;
}

/** Until when all calls of one request have to be answered. */
export function deadline(): AbortSignal {
  const text = setting("OPS_JOB_WORKER_TIMEOUT_SECONDS") ?? String(SECONDS);
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= MOST_SECONDS)) {
    throw misconfigured(
      `OPS_JOB_WORKER_TIMEOUT_SECONDS has to be a number from 1 to ${MOST_SECONDS}.`,
    );
  }
  return AbortSignal.timeout(seconds * 1000);
}

/**
 * Return the id that a start gets: always the same one for the same key.
 *
 * The scheduler then knows by itself which key has been used, with no store of
 * keys that could disagree with it.
 */
export async function idOf(wanted: Wanted): Promise<string> {
  if (wanted.key === undefined) return `ops_job_worker__${crypto.randomUUID()}`;
  const named = new TextEncoder().encode(`${wanted.job.slug}\n${wanted.key}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", named));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0"));
  return `ops_job_worker__${hex.join("").slice(0, 40)}`;
}

/** Another run is active. */
export function isActive(run: Run): Refusal {
  return new Refusal(
    409,
    "run_active",
    `Run ${run.run_id} of ${run.job_slug} is ${run.state}: wait until it has ended.`,
    {
      job_slug: run.job_slug,
      run_id: run.run_id,
      state: run.state,
      url: run.url,
    },
  );
}

/** Return a value if it is a text, at most so long. */
export function textOf(value: unknown, longest = 100): string | null {
  if (typeof value !== "string") return null;
  return value.replace(/[\p{Cc}\p{Cf}]/gu, " ").slice(0, longest);
}
