import { css, html, series, withBreaks } from '../web/html';
import type { Html } from '../web/html';
import { inSeries, oneLine } from './text';

/** A mail as it is handed to whoever sends it. */
export interface Message {
  subject: string;
  html: string;
  text: string;
}

/** What a mail says about how things stand, by its colour; the words say it too. */
export type Tone = 'open' | 'good' | 'bad' | 'late';

export interface Row {
  label: string;
  /** A list stands for a series of names. */
  value: string | string[];
  /** A second line, less loud. */
  detail?: string;
}

export interface Button {
  label: string;
  href: string;
  look: 'approve' | 'deny' | 'plain';
}

/** One of several things that a mail lists, each with a link of its own. */
export interface ListItem {
  title: string;
  lines: string[];
  /** What somebody wrote, on one line. */
  quote?: string;
  link: { label: string; href: string };
}

/** A piece of a mail. Texts have been made fit to be shown (see `text.ts`). */
export type Block =
  | { kind: 'paragraph'; text: string }
  | { kind: 'subtitle'; lines: string[] }
  | { kind: 'quote'; label: string; text: string }
  | { kind: 'facts'; rows: Row[] }
  | { kind: 'buttons'; buttons: Button[] }
  | { kind: 'list'; items: ListItem[] }
  | { kind: 'note'; text: string; link?: { label: string; href: string } };

/** A mail before it is laid out: one content, from which both versions are made, so that neither says more than the other. */
export interface Letter {
  subject: string;
  /** What a mail program shows of a mail in its list, after the subject. */
  preview: string;
  status: { text: string; tone: Tone };
  heading: string;
  blocks: Block[];
  /** Why the mail came, and to whom. */
  footer: string[];
}

/** Lays a mail out as HTML and as plain text. */
export function lay(letter: Letter): Message {
  return { subject: oneLine(letter.subject), html: asHtml(letter).toString(), text: asText(letter) };
}

function asText(letter: Letter): string {
  const blocks = letter.blocks.map(blockAsText);
  return `${[letter.status.text, letter.heading, ...blocks].join('\n\n')}\n\n-- \n${letter.footer.join('\n')}\n`;
}

function blockAsText(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return block.text;
    case 'subtitle':
      return block.lines.join('\n');
    case 'quote':
      return `${block.label}:\n${quoted(block.text)}`;
    case 'facts':
      return block.rows.map(rowAsText).join('\n');
    case 'buttons':
      return block.buttons.map(({ label, href }) => `${label}: ${href}`).join('\n');
    case 'list':
      return block.items.map(itemAsText).join('\n\n');
    case 'note':
      return block.link === undefined ? block.text : `${block.text}\n${block.link.label}: ${block.link.href}`;
  }
}

// Every line is marked, so that what somebody wrote can't pass for a line of ours, such as a link to approve.
const quoted = (text: string): string =>
  text
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');

const itemAsText = ({ title, lines, quote, link }: ListItem): string =>
  [title, ...lines, ...(quote === undefined ? [] : [quoted(quote)]), `${link.label}: ${link.href}`].join('\n');

function rowAsText({ label, value, detail }: Row): string {
  return [
    `${label}: ${typeof value === 'string' ? value : inSeries(value)}`,
    ...(detail === undefined ? [] : [`  ${detail}`]),
  ].join('\n');
}

// Word, which shows mail in classic Outlook, knows tables, padding on cells and inline styles; so the light look is inline.
// What everybody else knows as well (dark mode, phones) is in style sheets: three, as Gmail drops the whole of one in which
// it doesn't know a selector.
const FONT = `font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif`;

const phoneStyle = css`
  :root {
    color-scheme: light dark;
    supported-color-schemes: light dark;
  }
  a[x-apple-data-detectors] {
    color: inherit !important;
    text-decoration: none !important;
  }
  @media (max-width: 480px) {
    .outside {
      padding: 16px 12px 32px !important;
    }
    .card {
      padding: 24px 20px !important;
    }
    .heading {
      font-size: 21px !important;
      line-height: 28px !important;
    }
    .cell {
      display: block !important;
      width: auto !important;
    }
    .label {
      padding: 12px 0 0 !important;
    }
    .value {
      padding: 1px 0 12px !important;
      border-top: 0 !important;
    }
    .button {
      display: block !important;
      width: auto !important;
    }
    .button a {
      display: block !important;
      text-align: center !important;
    }
    .gap {
      display: block !important;
      width: auto !important;
      height: 12px !important;
    }
    .buttons {
      width: 100% !important;
    }
  }
`;

const darkStyle = css`
  @media (prefers-color-scheme: dark) {
    .page {
      background-color: #0f1115 !important;
    }
    .card {
      background-color: #181b21 !important;
      border-color: #2b303a !important;
    }
    .ink {
      color: #f1f3f6 !important;
    }
    .soft {
      color: #a9b1bf !important;
    }
    .accent {
      color: #a5b0ff !important;
    }
    .mark {
      background-color: #8b95ff !important;
    }
    .quote {
      border-left-color: #4a5261 !important;
    }
    .line {
      border-top-color: #2b303a !important;
    }
    .open {
      background-color: #25294d !important;
      color: #c9d0ff !important;
    }
    .good {
      background-color: #12351f !important;
      color: #8ee8ad !important;
    }
    .bad {
      background-color: #451a18 !important;
      color: #ffb4ab !important;
    }
    .late {
      background-color: #3b2a08 !important;
      color: #fbd67a !important;
    }
    .deny {
      background-color: #181b21 !important;
      border-color: #5b6474 !important;
    }
    .deny a {
      color: #f1f3f6 !important;
    }
  }
`;

const outlookDarkStyle = css`
  [data-ogsc] .ink,
  [data-ogsc] .deny a {
    color: #f1f3f6 !important;
  }
  [data-ogsc] .soft {
    color: #a9b1bf !important;
  }
  [data-ogsc] .accent {
    color: #a5b0ff !important;
  }
  [data-ogsb] .page {
    background-color: #0f1115 !important;
  }
  [data-ogsb] .card,
  [data-ogsb] .deny {
    background-color: #181b21 !important;
  }
`;

const TONES: Readonly<Record<Tone, string>> = {
  open: 'background-color:#eceefe;color:#3730a3',
  good: 'background-color:#e3f5e9;color:#14602f',
  bad: 'background-color:#fdeae8;color:#a1211a',
  late: 'background-color:#fdf1d8;color:#82400b',
};

// Fills the list's line, which would go on with the mail's first words after the preview.
const filler = Array.from({ length: 90 }, () => html`&#847;&#8199;`);

function asHtml({ subject, preview, status, heading, blocks, footer }: Letter): Html {
  return html`<!doctype html>
    <html lang="en" dir="ltr" xmlns="http://www.w3.org/1999/xhtml" xmlns:o="urn:schemas-microsoft-com:office:office">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="x-apple-disable-message-reformatting" />
        <meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>${oneLine(subject)}</title>
        <!--[if mso]>
          <xml
            ><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml
          >
          <style>
            table {
              border-collapse: collapse;
            }
            td,
            p,
            h1,
            a {
              font-family: 'Segoe UI', Arial, sans-serif !important;
            }
          </style>
        <![endif]-->
        ${[phoneStyle.element, darkStyle.element, outlookDarkStyle.element]}
      </head>
      <body
        class="page"
        style="margin:0;padding:0;background-color:#f4f5f8;-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%"
      >
        <div style="display:none;max-height:0;max-width:0;overflow:hidden;font-size:1px;line-height:1px;mso-hide:all">
          ${preview}${filler}
        </div>
        <div role="article" aria-roledescription="email" aria-label="${oneLine(subject)}" lang="en">
          <table
            role="presentation"
            class="page"
            width="100%"
            cellpadding="0"
            cellspacing="0"
            border="0"
            style="width:100%;background-color:#f4f5f8"
          >
            <tr>
              <td class="outside" align="center" style="padding:32px 16px 48px">
                <!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->
                <table
                  role="presentation"
                  width="100%"
                  cellpadding="0"
                  cellspacing="0"
                  border="0"
                  style="width:100%;max-width:600px;text-align:left"
                >
                  <tr>
                    <td style="padding:0 4px 16px">
                      <table role="presentation" cellpadding="0" cellspacing="0" border="0">
                        <tr>
                          <td
                            class="mark"
                            width="12"
                            height="15"
                            style="width:12px;height:15px;background-color:#4338ca;border-radius:6px 6px 2px 2px;font-size:1px;line-height:15px"
                          >
                            &nbsp;
                          </td>
                          <td
                            class="ink"
                            style="padding-left:8px;${FONT};font-size:15px;line-height:20px;font-weight:600;color:#181c25"
                          >
                            Gatehouse
                          </td>
                        </tr>
                      </table>
                    </td>
                  </tr>
                  <tr>
                    <td
                      class="card"
                      style="padding:32px 36px 36px;background-color:#ffffff;border:1px solid #e1e4ea;border-radius:12px"
                    >
                      <table role="presentation" cellpadding="0" cellspacing="0" border="0">
                        <tr>
                          <td
                            class="${status.tone}"
                            style="padding:3px 10px;border-radius:11px;${FONT};font-size:13px;line-height:18px;font-weight:600;${TONES[status.tone]}"
                          >
                            ${status.text}
                          </td>
                        </tr>
                      </table>
                      <h1
                        class="ink heading"
                        style="margin:14px 0 0;${FONT};font-size:24px;line-height:31px;font-weight:650;letter-spacing:-0.2px;color:#181c25;word-break:break-word"
                      >
                        ${heading}
                      </h1>
                      ${blocks.map(blockAsHtml)}
                    </td>
                  </tr>
                  <tr>
                    <td style="padding:20px 4px 0">
                      ${footer.map(
                        (line) =>
                          html`<p
                            class="soft"
                            style="margin:0 0 4px;${FONT};font-size:13px;line-height:19px;color:#596273;word-break:break-word"
                          >
                            ${line}
                          </p>`,
                      )}
                    </td>
                  </tr>
                </table>
                <!--[if mso]></td></tr></table><![endif]-->
              </td>
            </tr>
          </table>
        </div>
      </body>
    </html> `;
}

function blockAsHtml(block: Block): Html {
  switch (block.kind) {
    case 'paragraph':
      return html`<p
        class="ink"
        style="margin:12px 0 0;${FONT};font-size:16px;line-height:25px;color:#181c25;word-break:break-word"
      >
        ${block.text}
      </p>`;
    case 'subtitle':
      return subtitleAsHtml(block.lines);
    case 'quote':
      return quoteAsHtml(block.label, block.text);
    case 'facts':
      return html`<table
        role="presentation"
        width="100%"
        cellpadding="0"
        cellspacing="0"
        border="0"
        style="width:100%;margin-top:24px"
      >
        ${block.rows.map(rowAsHtml)}
      </table>`;
    case 'buttons':
      return html`<table
        role="presentation"
        class="buttons"
        cellpadding="0"
        cellspacing="0"
        border="0"
        style="margin-top:28px"
      >
        <tr>
          ${block.buttons.map((button, index) => [
            index > 0 && html`<td class="gap" width="12" style="width:12px;font-size:1px;line-height:12px">&nbsp;</td>`,
            buttonAsHtml(button),
          ])}
        </tr>
      </table>`;
    case 'list':
      return html`${block.items.map(itemAsHtml)}`;
    case 'note':
      return noteAsHtml(block.text, block.link);
  }
}

function subtitleAsHtml(lines: string[]): Html {
  return html`<p
    class="soft"
    style="margin:8px 0 0;${FONT};font-size:15px;line-height:22px;color:#596273;word-break:break-word"
  >
    ${lines.map((line, index) => [index > 0 && html`<br />`, html`<bdi>${line}</bdi>`])}
  </p>`;
}

function quoteAsHtml(label: string, text: string): Html {
  return html`<p class="soft" style="margin:20px 0 6px;${FONT};font-size:13px;line-height:19px;color:#596273">
      ${label}
    </p>
    <table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="width:100%">
      <tr>
        <td
          class="ink quote"
          dir="auto"
          style="padding:2px 0 2px 16px;border-left:3px solid #c9ceda;${FONT};font-size:16px;line-height:25px;color:#181c25;word-break:break-word"
        >
          ${withBreaks(text)}
        </td>
      </tr>
    </table>`;
}

function itemAsHtml({ title, lines, quote, link }: ListItem): Html {
  const cell = `padding:18px 0 0;border-top:1px solid #e8eaef`;
  return html`<table
    role="presentation"
    width="100%"
    cellpadding="0"
    cellspacing="0"
    border="0"
    style="width:100%;margin-top:20px"
  >
    <tr>
      <td class="line" style="${cell}">
        <h2
          class="ink"
          style="margin:0;${FONT};font-size:17px;line-height:24px;font-weight:600;color:#181c25;word-break:break-word"
        >
          ${title}
        </h2>
        ${lines.map(
          (line) =>
            html`<p class="soft" style="margin:2px 0 0;${FONT};font-size:14px;line-height:21px;color:#596273">
              ${line}
            </p>`,
        )}
        ${
          quote !== undefined &&
          html`<p
            class="ink quote"
            dir="auto"
            style="margin:8px 0 0;padding-left:12px;border-left:3px solid #c9ceda;${FONT};font-size:15px;line-height:22px;color:#181c25;word-break:break-word"
          >
            ${quote}
          </p>`
        }
        <p style="margin:10px 0 0;${FONT};font-size:15px;line-height:22px;font-weight:600">
          <a class="accent" href="${link.href}" style="color:#4338ca;text-decoration:underline">${link.label}</a>
        </p>
      </td>
    </tr>
  </table>`;
}

function rowAsHtml({ label, value, detail }: Row): Html {
  return html`<tr>
    <td
      class="cell label soft line"
      width="140"
      valign="top"
      style="width:140px;padding:9px 16px 9px 0;border-top:1px solid #e8eaef;${FONT};font-size:14px;line-height:21px;color:#596273"
    >
      ${label}
    </td>
    <td
      class="cell value ink line"
      valign="top"
      style="padding:9px 0;border-top:1px solid #e8eaef;${FONT};font-size:15px;line-height:21px;color:#181c25;word-break:break-word"
    >
      ${series(typeof value === 'string' ? [value] : value)}
      ${detail !== undefined && html`<br /><span class="soft" style="font-size:14px;color:#596273"><bdi>${detail}</bdi></span>`}
    </td>
  </tr>`;
}

const LOOKS: Readonly<Record<Button['look'], { cell: string; text: string }>> = {
  approve: { cell: 'background-color:#15753b;border:1px solid #15753b', text: '#ffffff' },
  deny: { cell: 'background-color:#ffffff;border:1px solid #a8b0bd', text: '#181c25' },
  plain: { cell: 'background-color:#4338ca;border:1px solid #4338ca', text: '#ffffff' },
};

// Word pads the cell (mso-padding-alt) and everybody else the link, so that the whole button can be clicked.
function buttonAsHtml({ label, href, look }: Button): Html {
  return html`<td
    class="button ${look}"
    align="center"
    style="${LOOKS[look].cell};border-radius:8px;mso-padding-alt:11px 26px"
  >
    <a
      href="${href}"
      style="display:inline-block;padding:11px 26px;${FONT};font-size:16px;line-height:22px;font-weight:600;color:${LOOKS[look].text};text-decoration:none"
      >${label}</a
    >
  </td>`;
}

function noteAsHtml(text: string, link: { label: string; href: string } | undefined): Html {
  const style = `margin:18px 0 0;${FONT};font-size:14px;line-height:21px;color:#596273;word-break:break-word`;
  if (link === undefined) return html`<p class="soft" style="${style}">${text}</p>`;
  return html`<p class="soft" style="${style}">
    ${text}<br />${link.label}:<br />
    <a class="accent" href="${link.href}" style="color:#4338ca;text-decoration:underline;word-break:break-word"
      >${link.href}</a
    >
  </p>`;
}
