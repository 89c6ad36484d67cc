import { FEATURES, rolesIn } from '../directory/graph-permissions';
import type { Feature } from '../directory/graph-permissions';
import type { Services } from '../services';

/** A feature that this installation does not have: its permission on Microsoft Graph was not granted, or no feature's may be used. */
export class FeatureOff extends Error {
  override name = 'FeatureOff';
  constructor(
    readonly feature: Feature,
    readonly permission: string,
    /** What to do, in one or two sentences. */
    readonly sentence: string,
  ) {
    super(sentence);
  }
}

/** @throws {FeatureOff} where the identity was not granted what the feature needs, or `GRAPH_PERMISSIONS` is `strict` */
export async function needFeature(
  { config, credential }: Pick<Services, 'config' | 'credential'>,
  feature: Feature,
): Promise<void> {
  const permission = FEATURES[feature];
  if (config.GRAPH_PERMISSIONS === 'strict') {
    const sentence = `This needs ${permission} on Microsoft Graph, and the setting GRAPH_PERMISSIONS is strict: only joining is on. Set it to lenient and grant the feature ${feature} (docs/graph-permissions.md).`;
    throw new FeatureOff(feature, permission, sentence);
  }
  const token = await credential.getToken(config.GRAPH_SCOPE);
  // a token that can't be read says nothing: Graph decides then
  const granted = token === null ? undefined : rolesIn(token.token);
  if (granted === undefined || granted.includes(permission)) return;
  const sentence = `This needs ${permission} on Microsoft Graph, which the identity of Gatehouse was not granted. Grant the feature ${feature} (docs/graph-permissions.md); a token that was issued before holds for up to a day.`;
  throw new FeatureOff(feature, permission, sentence);
}
