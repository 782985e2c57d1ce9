/** Requests to gateway and identity under this origin. Only an answer tells that the line works. */

export const ANSWER_WITHIN = 30_000;

/** The service can't be reached, does not answer in time, or another server answers in its place. */
export class Unreachable extends Error {
  /** @param {string} message @param {Record<string, any>} [problem] */
  constructor(message, problem = {}) {
    super(message);
    this.problem = problem;
  }
}

/** The service answers, and refuses the request. */
export class Declined extends Error {
  /** @param {number} status @param {Record<string, any>} problem
   * @param {number} wait seconds to wait before the next request */
  constructor(status, problem, wait) {
    super(problem.detail ?? String(status));
    this.status = status;
    this.problem = problem;
    this.wait = wait;
  }
}

/** The answer and its JSON. Raises Unreachable and Declined.
 * @param {string} path @param {RequestInit} [options] @param {number} [within] milliseconds */
export async function ask(path, options = {}, within = ANSWER_WITHIN) {
  /** @type {Response} */
  let answer;
  /** @type {any} */
  let content;
  try {
    const signal = AbortSignal.timeout(within);
    answer = await fetch(path, { cache: "no-store", redirect: "error", ...options, signal });
    content = await answer.json();
  } catch (fault) {
    throw new Unreachable(String(fault));
  }
  // A sign-in page of a network, or a proxy, is none of ours.
  if (content === null || typeof content !== "object") throw new Unreachable("another server answers");
  if (answer.ok) return { answer, content };
  if (answer.status >= 500) throw new Unreachable(content.detail ?? String(answer.status), content);
  throw new Declined(answer.status, content, Number(answer.headers.get("retry-after")) || 0);
}

/** @param {string} path @param {object} body */
export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return (await ask(path, { method: "POST", headers, body: JSON.stringify(body) })).content;
}
