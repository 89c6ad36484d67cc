import type { Person } from './world';

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const person = (name: string, n: number): Person => ({ name, id: id(n) });

/** Three who ask, the third of whom may become an owner; three owners; one who steps in. */
export const PEOPLE: readonly Person[] = [
  person('rita', 11),
  person('ravi', 12),
  person('rosa', 13),
  person('olga', 21),
  person('omar', 22),
  person('otto', 23),
  person('fran', 31),
];

export const GROUPS = [
  { ...person('design', 51), owners: [id(21), id(22)] },
  { ...person('sales', 52), owners: [id(22), id(23)] },
] as const;

export const FALLBACK = id(31);
export const SYSTEM = id(91);
export const OPERATIONS = id(92);
export const ADMINISTRATOR = id(93);

const fallbackApprovers = [{ kind: 'people', ids: [FALLBACK] }];

/** What administrators write, one after the other: each of another shape. The last one closes the group. */
export const POLICIES: readonly Record<string, unknown>[] = [
  { optedIn: true, fallbackApprovers, stages: [{ reminders: ['P1D', 'P2D'], deadline: 'P3D' }], warnings: ['PT12H'] },
  {
    optedIn: true,
    stages: [{ required: 2, denial: 'counts', reminders: ['P1D'], deadline: 'P4D' }],
    maximumDuration: 'P5D',
    warnings: ['P2D', 'P1D'],
  },
  {
    optedIn: true,
    stages: [
      { reminders: ['PT12H'], deadline: 'P2D' },
      { approvers: [{ kind: 'people', ids: [FALLBACK] }], reminders: [], deadline: 'P2D' },
    ],
    defaultDuration: 'P2D',
  },
  {
    optedIn: true,
    fallbackApprovers,
    stages: [{ reminders: ['P1D', 'P2D'], escalateAfter: 'PT36H', deadline: 'P3D' }],
    coolDown: 'P1D',
    warnings: [],
  },
  { optedIn: false },
];

export const nameOf = (personId: string): string => PEOPLE.find((each) => each.id === personId)?.name ?? personId;
