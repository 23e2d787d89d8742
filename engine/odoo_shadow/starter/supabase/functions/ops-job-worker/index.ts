/**
 * ops-job-worker: starts a job of odoo-shadow, and tells what became of it.
 *
 *     POST /ops-job-worker   {"job_slug": "sync_odoo_shadow", "params": {…}}
 *     GET  /ops-job-worker?run_id=…
 *
 * Both need the project's service role key or a secret key, as bearer token or
 * in the header "apikey". Supabase's own check of tokens (verify_jwt) knows no
 * secret keys, so it is switched off for this function in config.toml.
 *
 * The jobs run in Airflow (AIRFLOW_URL) or else in GitHub Actions
 * (GITHUB_REPOSITORY); the function itself only starts them.
 */

import { answer, answered, Refusal } from "../_shared/answers.ts";
import { setting } from "../_shared/settings.ts";
import { Airflow } from "./airflow.ts";
import { GitHub } from "./github.ts";
import { JOBS } from "./jobs.ts";
import { isAllowed } from "./key.ts";
import { readQuestion, readRequest } from "./request.ts";
import { deadline, type Run, type Scheduler } from "./runs.ts";

function scheduler(): Scheduler {
  const end = deadline();
  if (setting("AIRFLOW_URL")) return new Airflow(end);
  if (setting("GITHUB_REPOSITORY")) return new GitHub(end);
  throw new Refusal(
    503,
    "misconfigured",
    "The function does not know where jobs run: set the secrets AIRFLOW_URL, AIRFLOW_USERNAME and AIRFLOW_PASSWORD (or AIRFLOW_TOKEN), or else GITHUB_REPOSITORY and GITHUB_TOKEN.",
  );
}

/** Start a job: 202 for a new run, 200 when this key has started one before. */
async function start(request: Request): Promise<Response> {
  const wanted = await readRequest(request);
  const { run, isNew } = await scheduler().start(wanted);
  if (isNew) return answer(202, { ...run }, whereToAsk(run));
  const message =
    `This idempotency key has started run ${run.run_id} before, so no other one was started.`;
  return answer(200, { ...run, message }, whereToAsk(run));
}

/** Tell what became of a run. */
async function tell(request: Request): Promise<Response> {
  const { runId, jobs } = readQuestion(new URL(request.url));
  const run = await scheduler().find(runId, jobs);
  if (run !== undefined) return answer(200, { ...run });
  throw new Refusal(
    404,
    "unknown_run",
    "There is no run of this id: check run_id, and job_slug if you give it.",
  );
}

function whereToAsk(run: Run): Record<string, string> {
  const project = setting("SUPABASE_URL");
  if (project === undefined) return {};
  const query = new URLSearchParams({
    run_id: run.run_id,
    job_slug: run.job_slug,
  });
  return {
    Location: `${
      project.replace(/\/+$/, "")
    }/functions/v1/ops-job-worker?${query}`,
  };
}

async function serve(request: Request): Promise<Response> {
  if (!await isAllowed(request)) {
    throw new Refusal(
      401,
      "unauthorized",
      "This needs the project's service role key or a secret key: send it as bearer token, or in the header apikey.",
      {},
      { "WWW-Authenticate": "Bearer" },
    );
  }
  switch (request.method) {
    case "POST":
      return await start(request);
    case "GET":
      return await tell(request);
    default:
      throw new Refusal(
        405,
        "method_not_allowed",
        `POST starts a job (${
          [...JOBS.keys()].join(", ")
        }), GET tells of a run.`,
        {},
        { Allow: "GET, POST" },
      );
  }
}

Deno.serve((request) => answered(() => serve(request)));
