/** Jobs as runs of a GitHub Actions workflow, started by its dispatch. */

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
import type { Job, Parameters } from "./jobs.ts";
import type { Wanted } from "./request.ts";
import {
  idOf,
  isActive,
  type Run,
  type Scheduler,
  type State,
  textOf,
} from "./runs.ts";

const WHO = "GitHub";
const URL_SETTING = "GITHUB_API_URL";
const JOB = "sync_odoo_shadow";
const NEWEST = 100;

/**
 * The workflow that `odoo-shadow init github-actions` writes.
 *
 * It calls its runs by the input "run_name", which is how a run is found again
 * by its key.
 */
export class GitHub implements Scheduler {
  readonly #url: string;
  readonly #repository: string;
  readonly #workflow: string;
  readonly #token: string;

  constructor(readonly deadline: AbortSignal) {
    this.#url = address(
      URL_SETTING,
      setting(URL_SETTING) ?? "https://api.github.com",
      false,
    );
    this.#repository = matching(
      "GITHUB_REPOSITORY",
      /^[\w-][\w.-]*\/[\w-][\w.-]*$/,
      "owner/name",
    );
    this.#workflow = matching(
      "GITHUB_WORKFLOW",
      /^[\w-][\w.-]*$/,
      "a file's name, such as odoo-shadow.yml",
      "odoo-shadow.yml",
    );
    const token = setting("GITHUB_TOKEN");
    if (token === undefined) {
      throw misconfigured(
        "GITHUB_REPOSITORY is set, but not GITHUB_TOKEN: store a token that may read and write the repository's Actions.",
      );
    }
    this.#token = headerSafe("GITHUB_TOKEN", token);
  }

  async start(wanted: Wanted): Promise<{ run: Run; isNew: boolean }> {
    checkJob(wanted.job);
    const name = await idOf(wanted);
    const newest = await this.#newestRuns();
    const before = newest.find((run) => run.display_title === name);
    if (before !== undefined) return { run: this.#asRun(before), isNew: false };
    const active = newest.find((run) => run.status !== "completed");
    if (active !== undefined) throw isActive(this.#asRun(active));
    return { run: await this.#dispatch(name, wanted.params), isNew: true };
  }

  async find(runId: string, jobs: Job[]): Promise<Run | undefined> {
    if (!jobs.some((job) => job.slug === JOB)) return undefined;
    if (!/^\d{1,18}$/.test(runId)) {
      const named = (await this.#newestRuns()).find((run) =>
        run.display_title === runId
      );
      return named && this.#asRun(named);
    }
    const found = await this.#ask("GET", `/actions/runs/${runId}`);
    if (found.status === 404) return undefined;
    const run = this.#document(found);
    // The token may see the runs of other workflows; this function tells of one only.
    const path = String(run.path).split("@")[0];
    return path.endsWith(`/${this.#workflow}`) ? this.#asRun(run) : undefined;
  }

  async #newestRuns(): Promise<Record<string, unknown>[]> {
    const answer = await this.#ask(
      "GET",
      `${this.#workflowPath}/runs?per_page=${NEWEST}`,
    );
    const runs = this.#document(answer).workflow_runs;
    if (!Array.isArray(runs) || !runs.every(isObject)) {
      throw unclear(WHO, URL_SETTING);
    }
    return runs;
  }

  async #dispatch(name: string, params: Parameters): Promise<Run> {
    const dispatch = {
      ref: setting("GITHUB_REF") ?? "main",
      inputs: { ...inputsOf(params), run_name: name },
    };
    const path = `${this.#workflowPath}/dispatches`;
    let answer = await this.#ask("POST", path, {
      ...dispatch,
      return_run_details: true,
    });
    // GitHub's own servers know the option since February 2026, those of companies may not.
    if (answer.status === 400) answer = await this.#ask("POST", path, dispatch);
    if (answer.status === 422 || answer.status === 403) {
      throw await this.#whyRefused();
    }
    const details = answer.status === 204 ? {} : this.#document(answer);
    const id = details.workflow_run_id;
    return {
      job_slug: JOB,
      run_id: Number.isSafeInteger(id) ? String(id) : name,
      state: "queued",
      ended: false,
      url: pageOf(details.html_url) ?? this.#pageOfWorkflow(),
      started_at: null,
      ended_at: null,
      note: null,
    };
  }

  /** GitHub switches schedules off after 60 quiet days, and the dispatch with them. */
  async #whyRefused(): Promise<Refusal> {
    const workflow = this.#document(await this.#ask("GET", this.#workflowPath));
    if (workflow.state !== "active") {
      return new Refusal(
        503,
        "workflow_disabled",
        `The workflow ${this.#workflow} is disabled: enable it on the repository's page of Actions.`,
      );
    }
    return new Refusal(
      502,
      "github_refuses",
      `GitHub refuses to start ${this.#workflow}: check that GITHUB_REF names a branch that has it as \`odoo-shadow init github-actions\` wrote it, and that GITHUB_TOKEN may write Actions.`,
    );
  }

  get #workflowPath(): string {
    return `/actions/workflows/${this.#workflow}`;
  }

  async #ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers: Record<string, string> = {
      Accept: "application/vnd.github+json",
      Authorization: `Bearer ${this.#token}`,
      "User-Agent": "odoo-shadow",
      "X-GitHub-Api-Version": "2022-11-28",
    };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const url = `${this.#url}/repos/${this.#repository}${path}`;
    return await call(WHO, URL_SETTING, url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    }, this.deadline);
  }

  #document(answer: Answer): Record<string, unknown> {
    switch (answer.status) {
      case 200:
        return objectIn(WHO, URL_SETTING, answer);
      case 401:
        throw new Refusal(
          502,
          "github_refuses_token",
          "GitHub refuses GITHUB_TOKEN: it may have expired, so store a new one.",
        );
      case 403:
      case 429:
        throw new Refusal(
          502,
          "github_refuses",
          "GitHub refuses the call: GITHUB_TOKEN may not read Actions, or has made too many calls.",
        );
      case 404:
        throw new Refusal(
          502,
          "workflow_missing",
          `GitHub shows no workflow ${this.#workflow} in GITHUB_REPOSITORY: push it, and let GITHUB_TOKEN read and write the repository's Actions.`,
        );
      default:
        throw new Refusal(
          502,
          "github_in_trouble",
          `GitHub has answered with status ${answer.status}: try again later.`,
        );
    }
  }

  #asRun(found: Record<string, unknown>): Run {
    if (!Number.isSafeInteger(found.id)) throw unclear(WHO, URL_SETTING);
    const state = stateOf(found);
    const ended = state === "success" || state === "failed";
    return {
      job_slug: JOB,
      run_id: String(found.id),
      state,
      ended,
      url: pageOf(found.html_url) ?? this.#pageOfWorkflow(),
      started_at: textOf(found.run_started_at),
      ended_at: ended ? textOf(found.updated_at) : null,
      note: null,
    };
  }

  #pageOfWorkflow(): string | null {
    if (this.#url !== "https://api.github.com") return null;
    return `https://github.com/${this.#repository}${this.#workflowPath}`;
  }
}

function checkJob(job: Job): void {
  if (job.slug === JOB) return;
  throw new Refusal(
    400,
    "unknown_job",
    `${job.slug} runs in Airflow only, and AIRFLOW_URL is not set: GitHub Actions runs ${JOB}.`,
    {
      jobs: [JOB],
    },
  );
}

/** Inputs of a dispatch are texts; the workflow reads models between commas. */
function inputsOf(params: Parameters): Record<string, string> {
  const inputs: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value !== null) {
      inputs[name] = Array.isArray(value) ? value.join(",") : String(value);
    }
  }
  return inputs;
}

function stateOf(run: Record<string, unknown>): State {
  if (run.status === "completed") {
    return run.conclusion === "success" ? "success" : "failed";
  }
  return run.status === "in_progress" ? "running" : "queued";
}

function pageOf(value: unknown): string | null {
  const text = textOf(value, 500);
  return text !== null && /^https?:\/\/\S+$/.test(text) ? text : null;
}

function matching(
  name: string,
  shape: RegExp,
  like: string,
  otherwise?: string,
): string {
  const text = setting(name) ?? otherwise ?? "";
  if (shape.test(text)) return text;
  throw misconfigured(`${name} has to be ${like}.`);
}
