import { messageOf, stackOf } from '../host-failure';

/** What the real host says about a failed function: text for people, and the serialised exception. */
export interface FailureText {
  reason: string;
  details: string;
}

const RPC_EXCEPTION = 'Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException, Microsoft.Azure.WebJobs.Script';

/** The failure of an activity in the words and the shape of the .NET extension, two spaces included. */
export function activityFailure(name: string, error: unknown): FailureText {
  const message = messageOf(error);
  const stack = stackOf(error);
  const details = {
    $type: 'System.Exception, System.Private.CoreLib',
    ClassName: 'System.Exception',
    Message: ` ${message}`,
    Data: null,
    InnerException: {
      $type: RPC_EXCEPTION,
      IsUserException: false,
      RemoteStackTrace: stack,
      RemoteMessage: message,
      RemoteTypeName: null,
      Message: `Result: Failure\nException: ${message}\nStack: ${stack}`,
      Data: { $type: 'System.Collections.ListDictionaryInternal, System.Private.CoreLib' },
      InnerException: null,
      HelpLink: null,
      Source: 'System.Private.CoreLib',
      HResult: -2146233088,
      StackTrace: null,
    },
    HelpURL: null,
    StackTraceString: null,
    RemoteStackTraceString: null,
    RemoteStackIndex: 0,
    ExceptionMethod: null,
    HResult: -2146233088,
    Source: null,
    WatsonBuckets: null,
  };
  return { reason: `Activity function '${name}' failed:  ${message}`, details: JSON.stringify(details) };
}
