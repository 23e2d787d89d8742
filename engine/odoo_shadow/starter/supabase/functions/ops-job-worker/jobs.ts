/** The jobs that can be started, and what their parameters may be. */

import { quoted, Refusal } from "../_shared/answers.ts";
import { nearest } from "../_shared/nearest.ts";

// As in the trigger form of the DAGs, which checks them once more.
const MODEL = /^!?[a-zA-Z0-9_*?]+(\.[a-zA-Z0-9_*?]+)*$/;
const LONGEST_MODEL = 129;
const MOST_MODELS = 10_000;
const LARGEST_PAGE = 10_000;

/** Says what is wrong with a value; undefined when nothing is. */
type Check = (value: unknown) => string | undefined;

/** A job, by the end of its DAG's id. */
export interface Job {
  readonly slug: string;
  readonly dag: string;
  readonly parameters: ReadonlyMap<string, Check>;
}

/** Parameters that have been checked. */
export type Parameters = Readonly<Record<string, unknown>>;

const aBoolean: Check = (value) =>
  typeof value === "boolean" ? undefined : "has to be true or false";

const aPageSize: Check = (value) =>
  Number.isInteger(value) && 1 <= Number(value) && Number(value) <= LARGEST_PAGE
    ? undefined
    : `has to be a whole number from 1 to ${LARGEST_PAGE}`;

const models: Check = (value) => {
  if (value === null) return undefined;
  if (!Array.isArray(value) || value.length > MOST_MODELS) {
    return `has to be a list of at most ${MOST_MODELS} models, or null for all`;
  }
  const seen = new Set<unknown>();
  for (const one of value) {
    if (
      typeof one !== "string" || one.length > LONGEST_MODEL || !MODEL.test(one)
    ) {
      const shown = typeof one === "string" ? quoted(one) : "something else";
      return `has ${shown}, but models look like res.partner, patterns like sale.* or !mail.*`;
    }
    if (seen.has(one)) return `has ${quoted(one)} twice`;
    seen.add(one);
  }
  return undefined;
};

const ALL: Job[] = [
  {
    slug: "sync_odoo_shadow",
    dag: "sync",
    parameters: new Map<string, Check>([
      ["models", models],
      ["full", aBoolean],
      ["dry_run", aBoolean],
      ["batch_size", aPageSize],
      ["allow_mass_delete", aBoolean],
    ]),
  },
  {
    slug: "verify_odoo_shadow",
    dag: "verify",
    parameters: new Map<string, Check>([
      ["models", models],
      ["quick", aBoolean],
      ["repair", aBoolean],
    ]),
  },
];

/** All jobs by their slugs. */
export const JOBS: ReadonlyMap<string, Job> = new Map(
  ALL.map((job) => [job.slug, job]),
);

/** Return the job of a slug. */
export function jobOf(slug: unknown): Job {
  const job = typeof slug === "string" ? JOBS.get(slug) : undefined;
  if (job !== undefined) return job;
  const known = [...JOBS.keys()];
  const what = typeof slug === "string"
    ? `There is no job ${quoted(slug)}`
    : 'The request names no job in "job_slug"';
  throw new Refusal(
    400,
    "unknown_job",
    `${what}: there are ${known.join(" and ")}.`,
    {
      jobs: known,
    },
  );
}

/** Return a job's parameters, each of which it has and takes. */
export function parametersOf(
  job: Job,
  given: Record<string, unknown>,
): Parameters {
  for (const [name, value] of Object.entries(given)) {
    const check = job.parameters.get(name);
    if (check === undefined) throw unknownName(name, job);
    const wrong = check(value);
    if (wrong !== undefined) {
      throw new Refusal(
        400,
        "wrong_parameter",
        `The parameter "${name}" ${wrong}.`,
      );
    }
  }
  return given;
}

function unknownName(name: string, job: Job): Refusal {
  const known = [...job.parameters.keys()];
  const meant = nearest(name, known);
  return new Refusal(
    400,
    "unknown_parameter",
    `${job.slug} has no parameter ${quoted(name)}${
      meant === undefined
        ? `: there are ${known.join(", ")}.`
        : `: did you mean "${meant}"?`
    }`,
  );
}
