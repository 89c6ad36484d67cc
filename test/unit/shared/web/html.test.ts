import fc from 'fast-check';
import { css, html, plain, series, withBreaks } from '../../../../shared/web/html';

const hostile = `<b onclick="x('y')">&\`</b>`;

describe('html', () => {
  test('escapes text in elements and in quoted attributes', () => {
    expect(String(html`<p title="${hostile}">${hostile}</p>`)).toBe(
      `<p title="&lt;b onclick=&quot;x(&#39;y&#39;)&quot;&gt;&amp;&#96;&lt;/b&gt;">&lt;b onclick=&quot;x(&#39;y&#39;)&quot;&gt;&amp;&#96;&lt;/b&gt;</p>`,
    );
  });

  test('leaves html as it is, joins lists, and leaves out nothing and false', () => {
    const items = ['a<', 'b'].map((item) => html`<li>${item}</li>`);
    expect(String(html`${[items, [html`<br />`]]}${false}${null}${undefined}${0}`)).toBe(
      '<li>a&lt;</li><li>b</li><br />0',
    );
  });

  test('does not take an object for html because it looks like it', () => {
    const forged = JSON.parse('{"toString":"<script>"}') as never;
    expect(() => html`${forged}`).toThrow(TypeError);
  });

  test('drops from text what turns the direction of what follows', () => {
    expect(String(html`<p title="${'a\u202Eb'}">${'c\u2066d\u0000'}</p>`)).toBe('<p title="ab">cd</p>');
  });

  test('never lets text begin a tag or end an attribute, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'<>"\'`&;#x=/ a\n\u0000\uD83D\uDE00') }), (text) => {
        expect(String(html`${text}`)).not.toMatch(/[<>"'`]|&(?!(amp|lt|gt|quot|#39|#96);)/);
      }),
    );
  });
});

describe('plain', () => {
  test('drops control characters, keeps tabs, and makes every line end one line feed', () => {
    expect(plain('a\u0000b\u001Bc\u007Fd\te\r\nf\rg\u2028h\u0085i')).toBe('abcd\te\nf\ng\nh\ni');
  });

  test.each([
    ['embeddings and overrides', '\u202A\u202B\u202C\u202D\u202E'],
    ['isolates', '\u2066\u2067\u2068\u2069'],
    ['direction marks', '\u200E\u200F\u061C'],
    ['characters without width', '\u200B\u2060\uFEFF'],
  ])('drops %s', (_, characters) => {
    expect(plain(`exe.${characters}txt`)).toBe('exe.txt');
  });

  test('keeps the joiners that scripts and emoji need', () => {
    expect(plain('می\u200Cخواهم 👩\u200D🔬')).toBe('می\u200Cخواهم 👩\u200D🔬');
  });

  test('replaces half a surrogate pair, which can not be encoded, and keeps whole ones', () => {
    expect(plain('a\uD83Db 😀')).toBe('a\uFFFDb 😀');
  });
});

test('line ends in text become line breaks', () => {
  expect(String(withBreaks('a\n<b>'))).toBe('a<br />&lt;b&gt;');
});

test('each name of a series is isolated', () => {
  expect(String(series(['a', 'b', '<c>']))).toBe('<bdi>a</bdi>, <bdi>b</bdi> and <bdi>&lt;c&gt;</bdi>');
});

test('a style sheet stands in its element to the letter', () => {
  const style = css`
    p {
      color: red;
    }
  `;
  expect(style.text).toBe('p { color: red; }');
  expect(String(style.element)).toBe('<style>p { color: red; }</style>');
});
