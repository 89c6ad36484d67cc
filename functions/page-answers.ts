import type { HttpResponseInit } from '@azure/functions';

import type { Services } from '../shared/services';
import { pageResponse } from '../shared/web/page-response';
import { messagePage, otherAccountPage, signInPage, signInUnavailablePage } from '../shared/web/pages/message';
import type { Problem } from '../shared/web/problem';

/** Pages answer errors as pages, and tell nothing in them. */
export const asPage = (problem: Problem): HttpResponseInit =>
  problem.status < 500
    ? pageResponse(problem.status, messagePage({ heading: problem.title, sentence: problem.detail }))
    : pageResponse(
        problem.status,
        messagePage({
          heading: 'This does not work right now',
          sentence:
            'We can’t tell whether this came through. Please open the link again in a few minutes to see how it stands.',
        }),
      );

/** After a form: shown by a GET, so that going back or reloading posts nothing again. */
export const seeOther = (path: string): HttpResponseInit => ({
  status: 303,
  headers: { location: path, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
});

/** What everyone sees who is not signed in, whether there is anything behind the address or not. */
export function signInFirst({ config }: Services, path: string, status: number): HttpResponseInit {
  if (!config.WEBSITE_AUTH_ENABLED) return pageResponse(status, signInUnavailablePage());
  return pageResponse(
    status,
    signInPage({ signInUrl: `/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(path)}` }),
  );
}

export const signOutFirst = (path: string, status: number): HttpResponseInit =>
  pageResponse(
    status,
    otherAccountPage({ signOutUrl: `/.auth/logout?post_logout_redirect_uri=${encodeURIComponent(path)}` }),
  );
