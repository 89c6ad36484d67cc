/** An answer that refuses a call, in the form of Azure Communication Services. */
export class ServiceError extends Error {
  constructor(
    readonly status: 400 | 401 | 404 | 409 | 413 | 429,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** `property` as the service names it: a dotted path in the request's body. */
export function invalidProperty(property: string): ServiceError {
  return new ServiceError(400, 'BadRequest', `Request body validation error. See property '${property}'`);
}

export function denied(message = 'Denied by the resource provider.'): ServiceError {
  return new ServiceError(401, 'Denied', message, { 'www-authenticate': 'Bearer' });
}
