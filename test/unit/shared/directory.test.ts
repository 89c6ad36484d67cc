import { DirectoryRefused, DirectoryUnavailable } from '../../../shared/directory/directory';

test.each([
  ["Resource 'rita.lindqvist@contoso.example' does not exist.", "Resource '(address)' does not exist."],
  [
    'request to https://graph.microsoft.com/v1.0/users/rita%40contoso.example?$select=id failed',
    'request to https://graph.microsoft.com/v1.0/users/(address)?$select=id failed',
  ],
  ['gus_partner.example#EXT#@contoso.onmicrosoft.com, and <omar@contoso.example>', '(address), and <(address)>'],
  ['Insufficient privileges to complete the operation.', 'Insufficient privileges to complete the operation.'],
])('what the directory says names nobody by their address where it is logged: %s', (said, logged) => {
  expect(new DirectoryRefused(400, 'Request_BadRequest', said).message).toBe(logged);
  expect(new DirectoryUnavailable(said).message).toBe(logged);
});
