/** Jobs as DAG runs, over the REST API of Airflow 3. */

import { Refusal } from "../_shared/answers.ts";
import {
  type Answer,
  call,
  isObject,
  objectIn,
  unclear,
} from "../_shared/calls.ts";
import {
  address,
  headerSafe,
  misconfigured,
  setting,
} from "../_shared/settings.ts";
import type { Job } from "./jobs.ts";
import type { Wanted } from "./request.ts";
import {
  idOf,
  isActive,
  type Run,
  type Scheduler,
  type State,
  textOf,
} from "./runs.ts";

const WHO = "Airflow";
const URL_SETTING = "AIRFLOW_URL";
const LONGEST_NOTE = 1000;
/** Milliseconds to wait before a call is repeated. */
const PAUSES = [250, 750];
const STATES: ReadonlySet<unknown> = new Set<State>([
  "queued",
  "running",
  "success",
  "failed",
]);

/** An Airflow that has the mirror's DAGs. */
export class Airflow implements Scheduler {
  readonly #url: string;
  readonly #mirror: string;
  #token: string | undefined;

  constructor(readonly deadline: AbortSignal) {
    const allowing = "AIRFLOW_ALLOW_HTTP";
    this.#url = address(
      URL_SETTING,
      setting(URL_SETTING) ?? "",
      setting(allowing) === "true",
      allowing,
    );
    this.#mirror = setting("ODOO_SHADOW_MIRROR") ?? "odoo_shadow";
    if (!/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(this.#mirror)) {
      throw misconfigured(
        "ODOO_SHADOW_MIRROR has to be the name of a mirror, such as odoo_shadow.",
      );
    }
    const token = setting("AIRFLOW_TOKEN");
    this.#token = token && headerSafe("AIRFLOW_TOKEN", token);
  }

  async start(wanted: Wanted): Promise<{ run: Run; isNew: boolean }> {
    const { job, params, key } = wanted;
    const runId = await idOf(wanted);
    if (key !== undefined) {
      const before = await this.#run(job, runId);
      if (before !== undefined) return { run: before, isNew: false };
    }
    await this.#checkDag(job);
    const active = await this.#activeRun(job);
    // It may be this key's own, if another request has just started it.
    if (active?.run_id === runId) return { run: active, isNew: false };
    if (active !== undefined) throw isActive(active);
    const started = await this.#ask(job, "POST", "/dagRuns", {
      dag_run_id: runId,
      logical_date: null,
      conf: params,
    });
    if (started.status === 409) {
      // Another request with this key was quicker, or this one's own first try.
      const there = await this.#run(job, runId);
      if (there !== undefined) return { run: there, isNew: key === undefined };
    }
    if (started.status === 400 || started.status === 422) {
      throw refusedParameters(job);
    }
    return { run: this.#asRun(job, this.#document(job, started)), isNew: true };
  }

  async find(runId: string, jobs: Job[]): Promise<Run | undefined> {
    for (const job of jobs) {
      const run = await this.#run(job, runId);
      if (run !== undefined) return run;
    }
    return undefined;
  }

  async #run(job: Job, runId: string): Promise<Run | undefined> {
    const found = await this.#ask(
      job,
      "GET",
      `/dagRuns/${encodeURIComponent(runId)}`,
    );
    return found.status === 404
      ? undefined
      : this.#asRun(job, this.#document(job, found));
  }

  /** A DAG that is paused would take the run, and leave it waiting. */
  async #checkDag(job: Job): Promise<void> {
    const dag = this.#document(job, await this.#ask(job, "GET", ""));
    const id = this.#dagId(job);
    if (dag.is_stale === true) throw missing(id);
    if (dag.has_import_errors === true) {
      throw new Refusal(
        502,
        "dag_broken",
        `Airflow cannot read the file of DAG ${id}: its page of DAGs shows the import error.`,
      );
    }
    if (dag.is_paused === true) {
      throw new Refusal(
        503,
        "dag_paused",
        `DAG ${id} is paused in Airflow: un-pause it there, then start the job again.`,
      );
    }
  }

  /** Return a run that has not ended, whoever has started it. */
  async #activeRun(job: Job): Promise<Run | undefined> {
    const query = "?state=running&state=queued&order_by=id&limit=1";
    const answer = this.#document(
      job,
      await this.#ask(job, "GET", `/dagRuns${query}`),
    );
    if (!Array.isArray(answer.dag_runs)) throw unclear(WHO, URL_SETTING);
    const [first]: unknown[] = answer.dag_runs;
    if (first === undefined) return undefined;
    if (!isObject(first)) throw unclear(WHO, URL_SETTING);
    return this.#asRun(job, first);
  }

  #dagId(job: Job): string {
    return `${this.#mirror}_${job.dag}`;
  }

  async #ask(
    job: Job,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer> {
    const headers: Record<string, string> = { Accept: "application/json" };
    headers.Authorization = `Bearer ${await this.#getToken()}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return await this.#call(`/api/v2/dags/${this.#dagId(job)}${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  /**
   * Call Airflow, and once or twice more where it fails by itself.
   *
   * It does when several requests write at once. Each call may be repeated: a
   * start names its run, and Airflow takes no second one of that name.
   */
  async #call(path: string, init: RequestInit): Promise<Answer> {
    for (const pause of PAUSES) {
      const answer = await this.#callOnce(path, init);
      if (answer.status < 500) return answer;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return await this.#callOnce(path, init);
  }

  async #callOnce(path: string, init: RequestInit): Promise<Answer> {
    return await call(WHO, URL_SETTING, this.#url + path, init, this.deadline);
  }

  async #getToken(): Promise<string> {
    if (this.#token !== undefined) return this.#token;
    const username = setting("AIRFLOW_USERNAME");
    const password = Deno.env.get("AIRFLOW_PASSWORD");
    if (!username || !password) {
      throw misconfigured(
        "AIRFLOW_URL is set, but no login: set the secrets AIRFLOW_USERNAME and AIRFLOW_PASSWORD, or AIRFLOW_TOKEN.",
      );
    }
    const answer = await this.#call("/auth/token", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
      },
      body: JSON.stringify({ username, password }),
    });
    if ([400, 401, 403].includes(answer.status)) {
      throw new Refusal(
        502,
        "airflow_refuses_login",
        "Airflow refuses the login: check AIRFLOW_USERNAME and AIRFLOW_PASSWORD.",
      );
    }
    if (answer.status !== 200 && answer.status !== 201) {
      throw this.#trouble(answer.status);
    }
    const token = objectIn(WHO, URL_SETTING, answer).access_token;
    if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
      throw unclear(WHO, URL_SETTING);
    }
    return this.#token = token;
  }

  /** Return the document of an answer, unless Airflow refuses. */
  #document(job: Job, answer: Answer): Record<string, unknown> {
    if (answer.status === 200) return objectIn(WHO, URL_SETTING, answer);
    const id = this.#dagId(job);
    switch (answer.status) {
      case 401:
        throw new Refusal(
          502,
          "airflow_refuses_login",
          setting("AIRFLOW_TOKEN")
            ? "Airflow refuses AIRFLOW_TOKEN: it may have expired, so store a new one, or AIRFLOW_USERNAME and AIRFLOW_PASSWORD instead."
            : "Airflow refuses the token that it has just given to AIRFLOW_USERNAME: check its clock and its settings.",
        );
      case 403: // Airflow answers this to a token that it cannot read, too
        throw new Refusal(
          502,
          "airflow_forbids",
          setting("AIRFLOW_TOKEN")
            ? `Airflow refuses AIRFLOW_TOKEN, or lets its user not start DAG ${id}: store a new token, of a user who may create DAG runs.`
            : `Airflow does not let the user AIRFLOW_USERNAME start DAG ${id}: give it a role that may create DAG runs.`,
        );
      case 404:
        throw missing(id);
      default:
        throw this.#trouble(answer.status);
    }
  }

  #trouble(status: number): Refusal {
    if (status < 500 && status !== 429) return unclear(WHO, URL_SETTING);
    return new Refusal(
      502,
      "airflow_in_trouble",
      `Airflow has answered with status ${status}: look at the log of its API server, then try again.`,
    );
  }

  #asRun(job: Job, found: Record<string, unknown>): Run {
    const runId = textOf(found.dag_run_id, 250);
    if (!runId || !STATES.has(found.state)) throw unclear(WHO, URL_SETTING);
    const state = found.state as State;
    return {
      job_slug: job.slug,
      run_id: runId,
      state,
      ended: state === "success" || state === "failed",
      url: `${this.#url}/dags/${this.#dagId(job)}/runs/${
        encodeURIComponent(runId)
      }`,
      started_at: textOf(found.start_date),
      ended_at: textOf(found.end_date),
      note: textOf(found.note, LONGEST_NOTE),
    };
  }
}

function refusedParameters(job: Job): Refusal {
  return new Refusal(
    400,
    "refused_parameters",
    `Airflow refuses the parameters: ${job.slug} takes only models that this mirror has, as the DAG's trigger form lists them.`,
  );
}

function missing(dagId: string): Refusal {
  return new Refusal(
    502,
    "dag_missing",
    `Airflow has no DAG ${dagId}: check that its files are in the DAG folder, and ODOO_SHADOW_MIRROR.`,
  );
}
