import { ConfigError, readConfig } from '../../../shared/config';

const good = {
  TENANT_ID: '7e9a0000-0000-4000-8000-000000000001',
  API_CLIENT_ID: '7e9a0000-0000-4000-8000-0000000000a1',
  TABLES_ENDPOINT: 'https://example.table.core.windows.net/',
  AUDIT_TABLES_ENDPOINT: 'https://exampleaudit.table.core.windows.net/',
  MAIL_ENDPOINT: 'https://example.communication.azure.com',
  MAIL_SENDER: 'gatehouse@contoso.example',
  PUBLIC_BASE_URL: 'https://gatehouse.contoso.example',
};

test('the settings of the public cloud are the defaults', () => {
  expect(readConfig(good)).toMatchObject({
    AUTHORITY_HOST: 'https://login.microsoftonline.com',
    GRAPH_ENDPOINT: 'https://graph.microsoft.com',
    TABLES_ENDPOINT: 'https://example.table.core.windows.net',
    WEBSITE_AUTH_ENABLED: false,
    DEFAULT_POLICY: { optedIn: false },
  });
});

test('every wrong setting is named at once, with what to do', () => {
  const wrong = {
    ...good,
    TENANT_ID: undefined,
    MAIL_SENDER: 'nobody',
    GRAPH_ENDPOINT: 'http://graph.example',
    DEFAULT_POLICY: '{"optedIn":"yes"}',
  };
  expect(() => readConfig(wrong)).toThrow(ConfigError);
  try {
    readConfig(wrong);
  } catch (error) {
    const { message } = error as ConfigError;
    expect(message).toContain('TENANT_ID is missing. Add it to the app settings.');
    expect(message).toContain('GRAPH_ENDPOINT is wrong: Give an https URL.');
    expect(message).toContain('MAIL_SENDER is wrong');
    expect(message).toContain('DEFAULT_POLICY is wrong (at optedIn)');
  }
});

test('a setting that was cleared counts as missing', () => {
  expect(() => readConfig({ ...good, PUBLIC_BASE_URL: '' })).toThrow('PUBLIC_BASE_URL is missing');
});

test('pages are served from a secure origin, or from this machine', () => {
  expect(() => readConfig({ ...good, PUBLIC_BASE_URL: 'http://gatehouse.contoso.example' })).toThrow(
    'PUBLIC_BASE_URL is wrong',
  );
  expect(readConfig({ ...good, PUBLIC_BASE_URL: 'http://localhost:7070' }).PUBLIC_BASE_URL).toBe(
    'http://localhost:7070',
  );
});

test('a call to a service takes between one second and a minute at most', () => {
  expect(readConfig(good).CALL_TIMEOUT).toBe(10_000);
  expect(readConfig({ ...good, CALL_TIMEOUT: 'PT1M' }).CALL_TIMEOUT).toBe(60_000);
  for (const wrong of ['PT0S', 'PT61S', '10', 'P1D'])
    expect(() => readConfig({ ...good, CALL_TIMEOUT: wrong })).toThrow('CALL_TIMEOUT is wrong: Give an ISO 8601');
});
