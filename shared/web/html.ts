/** HTML that is safe to send: made by {@link html} alone, never from a string. */
class Markup {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

/** HTML that is safe to send. Only {@link html} makes it; `toString()` gives the text. */
export type Html = Markup;

/** What may stand in a template: text is escaped, `Html` stays as it is, lists are joined, nothing is left out. */
export type Content = Html | string | number | false | null | undefined | readonly Content[];

// Control characters but tab and line feed; marks, overrides and isolates that turn the direction of what follows;
// characters that take no room, by which one name can pass for another (the joiners stay: scripts and emoji need them).
const UNSEEN =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u206F\uFEFF]/gu;

/** The text without what a reader can't see: control characters and those that reverse or hide text. Line ends become `\n`. */
export function plain(text: string): string {
  return text
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(UNSEEN, '')
    .replace(/\p{Surrogate}/gu, '\uFFFD');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

const escape = (text: string): string => plain(text).replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');

function render(content: Content): string {
  if (content === null || content === undefined || content === false) return '';
  if (content instanceof Markup) return content.toString();
  if (typeof content === 'string') return escape(content);
  if (typeof content === 'number') return String(content);
  return content.map(render).join('');
}

/**
 * HTML with everything interpolated made safe, in elements and in quoted attributes.
 * @example html`<p title="${name}">${name}</p>`
 */
export function html(literals: TemplateStringsArray, ...contents: Content[]): Html {
  const parts = literals.map((literal, index) => literal + render(contents[index]));
  return new Markup(parts.join(''));
}

/** Text whose line ends are kept. */
export function withBreaks(text: string): Html {
  return html`${text.split('\n').map((line, index) => [index > 0 && html`<br />`, line])}`;
}

/** Names and the like in a series (`a, b and c`), each kept from turning the direction of its neighbours. */
export function series(items: readonly string[]): Html {
  return html`${items.map((item, index) => [separator(index, items.length), html`<bdi>${item}</bdi>`])}`;
}

function separator(index: number, length: number): string {
  if (index === 0) return '';
  return index === length - 1 ? ' and ' : ', ';
}

/** A style sheet: `text` is, to the letter, what stands inside `element`, as a hash in a content security policy needs. */
export interface Style {
  readonly text: string;
  readonly element: Html;
}

/** A style sheet that holds nothing but what stands in the source, without the white space. */
export function css(literals: TemplateStringsArray): Style {
  const text = literals.join('').replace(/\s+/g, ' ').trim();
  return { text, element: new Markup(`<style>${text}</style>`) };
}
