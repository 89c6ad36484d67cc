import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { compare, NEEDED, OPTIONAL, rolesIn } from '../../../shared/directory/graph-permissions';

const token = (payload: unknown): string => `h.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.s`;

test('what joining needs is neither missing nor too much', () => {
  expect(compare(['User.Read.All', 'GroupMember.ReadWrite.All'], true)).toEqual({ missing: [], excessive: [] });
});

test('a permission that nothing uses is told, and one that only a feature uses counts as such where strict', () => {
  const granted = ['GroupMember.ReadWrite.All', 'User.Read.All', 'Member.Read.Hidden', 'Directory.ReadWrite.All'];
  expect(compare(granted, false).excessive).toEqual(['Directory.ReadWrite.All']);
  expect(compare(granted, true).excessive).toEqual(['Directory.ReadWrite.All', 'Member.Read.Hidden']);
  expect(compare(['User.Read.All'], false).missing).toEqual(['GroupMember.ReadWrite.All']);
});

test('the roles of a token are read where it is a JWT, and unknown where it is none', () => {
  expect(rolesIn(token({ roles: ['User.Read.All', 7] }))).toEqual(['User.Read.All']);
  expect(rolesIn(token({}))).toEqual([]);
  expect(rolesIn('opaque')).toBeUndefined();
});

test('what is given by feature is what Gatehouse uses: an administrator who follows the documents is not warned of it', () => {
  const file = join(__dirname, '..', '..', '..', 'infra', 'graph-permissions', 'features.json');
  const features = JSON.parse(readFileSync(file, 'utf8')) as Record<string, { permissions: string[] }>;
  const given = Object.values(features).flatMap(({ permissions }) => permissions);
  expect(given.toSorted()).toEqual([...NEEDED, ...OPTIONAL].toSorted());
});
