import { groups, people } from '../../../../local/demo-tenant';
import { openDirectory } from './support';

const directory = openDirectory();
afterAll(() => directory.close());

const page = async (path: string): Promise<{ status: number; headers: Headers; text: string }> => {
  const response = await directory.site.request(path);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

describe('the pages of the directory', () => {
  it('list all groups and all people, each with a link', async () => {
    const groupList = (await page('/')).text;
    const peopleList = (await page('/people')).text;
    for (const { id } of Object.values(groups)) expect(groupList).toContain(`href="/groups/${id}"`);
    for (const { id } of Object.values(people)) expect(peopleList).toContain(`href="/people/${id}"`);
  });

  it('show of a group its kind and flags in words, its owners and how many members it has', async () => {
    const { text } = await page(`/groups/${groups.dynamic365.id}`);
    expect(text).toContain('Microsoft 365 group, dynamic membership');
    expect(text).toContain('user.department -eq &quot;Sales&quot;');
    expect(text).toContain(people.sofia.displayName);
    expect(text).toMatch(/Members <span class="count">2<\/span>/);
    expect((await page(`/groups/${groups.synced.id}`)).text).toContain('Mastered on premises');
    expect((await page(`/groups/${groups.mailSecurity.id}`)).text).toContain('Mail-enabled security group');
  });

  it('show of a person who they are, their manager and their groups', async () => {
    const { text } = await page(`/people/${people.rita.id}`);
    for (const words of ['Product Designer', 'Mona Larsen', 'Prototype Lab', 'Everyone at Contoso']) {
      expect(text).toContain(words);
    }
    expect((await page(`/people/${people.dana.id}`)).text).toContain('Account disabled');
  });

  it('never let a name become markup', async () => {
    const paths = [
      '/',
      '/people',
      `/groups/${groups.hostile.id}`,
      `/people/${people.hugo.id}`,
      `/?q=${encodeURIComponent('"><script>')}`,
    ];
    for (const path of paths) {
      const { text } = await page(path);
      expect(text).not.toMatch(/<script|<img|<b>|<h1 on/);
    }
    expect((await page(`/people/${people.hugo.id}`)).text).toContain(
      'Hugo &quot;&lt;b&gt;O&#39;Hara&lt;/b&gt;&quot; &amp; Söhne',
    );
  });

  it('keep a right-to-left name from turning the text around it', async () => {
    expect((await page(`/people/${people.bidi.id}`)).text).toContain(`<bdi>${people.bidi.displayName}</bdi>`);
  });

  it('allow no script and no foreign content', async () => {
    const { headers } = await page('/');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect((await page('/style.css')).headers.get('content-type')).toContain('text/css');
  });

  it('find by a part of a name, in which wildcards mean themselves', async () => {
    const { text } = await page('/?q=esign');
    expect(text).toContain(groups.design.id);
    expect(text).not.toContain(groups.finance.id);
    expect((await page('/?q=%25')).text).toContain('None.');
  });

  it('answer 404 with a page for what is not there', async () => {
    for (const path of ['/groups/x', '/people/x', '/nothing']) {
      const { status, text } = await page(path);
      expect(status).toBe(404);
      expect(text).toContain('<h1>Not found</h1>');
    }
  });
});
