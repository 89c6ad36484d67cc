// The commands: names and order. What each takes, and the words that describe it, come from the API's description (operations.json).
import { applyPolicy, dryRunPolicy } from './policy-commands';
import { callOnce, callPages, fileRequest, readStatus } from './flows';
import type { Visit } from './flows';
import type { ExitCode } from './failure';
import type { OperationId } from './operations';
import type { Option } from './settings';
import { showAudit, showAnything, showDryRun, showOpenRequests, showStatus } from './show';

export interface Command {
  /** `policy get` */
  words: string;
  operation: OperationId;
  /** The operation where the first argument is the word `default`. */
  default?: OperationId;
  /** Fields that are given by their place; the parameters of the path where nothing is said. */
  positionals?: readonly string[];
  /** Fields that the command sees to itself. */
  without?: readonly string[];
  /** What is read from the file of `--file`: the whole body, or a field of it. */
  file?: 'body' | (string & {});
  options?: Readonly<Record<string, Option>>;
  /** The answer for people. */
  show: (answer: unknown) => string;
  run: (visit: Visit) => Promise<ExitCode>;
}

const WAIT: Readonly<Record<string, Option>> = {
  wait: { help: 'Follow the request until it is granted (exit code 0), or has come to another end (7).' },
  timeout: {
    value: 'duration',
    help: 'With --wait: give up after so long, such as PT10M (exit code 8); the request stays open.',
  },
};
const ALL: Readonly<Record<string, Option>> = { all: { help: 'All pages, one after the other.' } };

const onRequest = (words: string, operation: OperationId): Command => ({
  words,
  operation,
  show: showStatus,
  run: callOnce,
});

/** One call, whose answer is shown as it comes. */
const once = (words: string, operation: OperationId, more: Partial<Command> = {}): Command => ({
  words,
  operation,
  show: showAnything,
  run: callOnce,
  ...more,
});

const pages = (words: string, operation: OperationId): Command =>
  once(words, operation, { without: ['after'], options: ALL, run: callPages });

const openRequests: Omit<Command, 'words'> = {
  operation: 'listOpenRequests',
  without: ['after'],
  options: ALL,
  show: showOpenRequests,
  run: callPages,
};

/** In the order of the help. Each described operation of the API stands here, or in `WITHOUT_COMMAND`. */
export const commands: readonly Command[] = [
  { words: 'request', operation: 'fileJoinRequest', options: WAIT, show: showStatus, run: fileRequest },
  { words: 'status', operation: 'readJoinRequest', options: WAIT, show: showStatus, run: readStatus },
  { words: 'list', ...openRequests },
  {
    words: 'decide',
    operation: 'decideJoinRequest',
    positionals: ['requestId', 'decision'],
    show: showStatus,
    run: callOnce,
  },
  onRequest('nudge', 'nudgeApprovers'),
  onRequest('withdraw', 'withdrawJoinRequest'),
  onRequest('leave', 'leaveMembership'),
  onRequest('let-lapse', 'letMembershipLapse'),
  onRequest('revoke', 'revokeMembership'),
  {
    words: 'policy get',
    operation: 'readGroupPolicy',
    default: 'readDefaultPolicy',
    show: showAnything,
    run: callOnce,
  },
  {
    words: 'policy versions',
    operation: 'listGroupPolicyVersions',
    default: 'listDefaultPolicyVersions',
    show: showAnything,
    run: callOnce,
  },
  {
    words: 'policy apply',
    operation: 'writeGroupPolicy',
    default: 'writeDefaultPolicy',
    without: ['If-Match'],
    file: 'body',
    options: {
      'dry-run': {
        value: 'user',
        help: 'Write nothing: say what would happen if this person asked under the policy of the file.',
      },
    },
    show: showAnything,
    run: applyPolicy,
  },
  {
    words: 'policy dry-run',
    operation: 'dryRunPolicy',
    positionals: ['groupId', 'userId'],
    file: 'policy',
    show: showDryRun,
    run: dryRunPolicy,
  },
  once('policy opt-in', 'groupOptIn'),
  once('policy opt-out', 'groupOptOut'),
  once('policy owners-told', 'groupMarkOwnersTold'),
  once('policy bulk-opt-in', 'groupsOptIn'),
  once('policy bulk-opt-out', 'groupsOptOut'),
  once('policy bulk-owners-told', 'groupsMarkOwnersTold'),
  once('policy creation', 'readCreationPolicy'),
  once('policy creation-versions', 'listCreationPolicyVersions'),
  once('policy creation-apply', 'writeCreationPolicy', { file: 'body' }),
  once('report', 'readSelfServiceReport'),
  once('group create', 'createGroup', { positionals: ['kind', 'displayName'] }),
  once('group check-name', 'checkGroupName', { positionals: ['kind', 'displayName'] }),
  pages('group list', 'listGroups'),
  once('group get', 'readGroup'),
  pages('group members', 'listGroupMembers'),
  once('group renew', 'renewGroup'),
  once('group change', 'changeGroup', { file: 'body' }),
  once('group change-status', 'readGroupChange'),
  once('group change-withdraw', 'withdrawGroupChange'),
  once('group change-decide', 'decideGroupChange', { positionals: ['changeId', 'decision'] }),
  { words: 'ops list', ...openRequests },
  once('ops overview', 'readOperationsOverview'),
  once('ops reconcile', 'startReconcile'),
  pages('ops search', 'findRequests'),
  once('ops record', 'readRequestRecord'),
  onRequest('ops cancel', 'cancelRequest'),
  onRequest('ops retry', 'retryApplication'),
  onRequest('ops reroute', 'rerouteRequest'),
  onRequest('ops extend', 'extendDeadline'),
  onRequest('ops resend', 'resendMail'),
  onRequest('ops restart', 'restartWorkflow'),
  pages('ops changes', 'listOpenGroupChanges'),
  once('ops change-retry', 'retryGroupChange'),
  once('ops change-cancel', 'cancelGroupChange'),
  pages('ops lives', 'listWaitingGroups'),
  once('ops life-retry', 'retryGroupLife'),
  {
    words: 'audit',
    operation: 'readAudit',
    without: ['after'],
    options: {
      ...ALL,
      format: {
        value: 'format',
        choices: ['csv', 'jsonl'],
        help: 'Everything that was asked for, as CSV or JSON lines.',
      },
    },
    show: showAudit,
    run: callPages,
  },
  { words: 'health', operation: 'ready', show: showAnything, run: callOnce },
];

/** Operations that need no command, each with its reason. */
export const WITHOUT_COMMAND: Readonly<Partial<Record<OperationId, string>>> = {
  receiveMailDelivery: 'Event Grid calls it.',
  health: 'The command health asks `ready`, which says more.',
  live: 'The command health asks `ready`, which says more.',
};
