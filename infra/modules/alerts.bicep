@description('Region of the alert rules.')
param location string

@description('Last part of every name.')
@minLength(3)
@maxLength(40)
param nameSuffix string

@description('Tags of every resource.')
param tags { *: string }

@description('Application Insights component that the rules ask.')
param insightsId string

@description('Who gets a mail when an alert fires, ends, or the budget is reached.')
@minLength(1)
@maxLength(20)
param operationsEmails string[]

@description('The runbook; each alert links to its own section in it.')
@minLength(1)
param runbookUrl string

@description('Days after which the oldest open request is worth a look.')
@minValue(1)
@maxValue(365)
param oldestOpenRequestDays int

@description('Mails in an hour that were refused or bounced before somebody is told.')
@minValue(1)
@maxValue(10000)
param mailFailuresPerHour int

@description('Answers 429 from Microsoft Graph in an hour before somebody is told.')
@minValue(1)
@maxValue(100000)
param graphThrottledPerHour int

@description('Repairs by the sweeper in an hour before somebody is told. A deployment or a short outage makes a few.')
@minValue(1)
@maxValue(10000)
param sweeperRepairsPerHour int

@description('Watch the delivery of mail reports.')
param mailDeliveryReports bool

@description('Event Grid topic of the mail delivery reports; empty where there is none.')
param mailDeliveryTopicId string

type queryAlert = {
  @description('Name of the rule, and of its section in the runbook.')
  name: string
  title: string
  description: string
  severity: (0 | 1 | 2 | 3 | 4)
  query: string
  @description('Column that is aggregated; without one, rows are counted.')
  column: string?
  aggregation: ('Count' | 'Total' | 'Maximum')
  operator: ('GreaterThan' | 'GreaterThanOrEqual' | 'LessThan')
  threshold: int
  frequency: string
  window: string
  @description('The alert ends by itself once the condition is over.')
  endsByItself: bool
}

// Lines are logged as `name {json}`; infra/README.md lists them. itemCount undoes sampling.
var queryAlerts queryAlert[] = [
  {
    name: 'failed-applications'
    title: 'An approved membership could not be applied'
    description: 'A request is approved, but Microsoft Graph refused the membership for good. It waits for operations.'
    severity: 1
    query: 'traces | where message startswith "request-failed {"'
    aggregation: 'Count'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT5M'
    window: 'PT15M'
    endsByItself: false
  }
  {
    name: 'oldest-open-request'
    title: 'A request has been open for very long'
    description: 'The oldest open request is older than policies should let it become.'
    severity: 2
    query: 'traces | where message startswith "open-requests {" | extend oldestHours = todouble(parse_json(substring(message, 14)).oldestHours)'
    column: 'oldestHours'
    aggregation: 'Maximum'
    operator: 'GreaterThan'
    threshold: oldestOpenRequestDays * 24
    frequency: 'PT1H'
    window: 'PT3H'
    endsByItself: true
  }
  {
    name: 'mail-failures'
    title: 'Mails are refused or bounce'
    description: 'Approvers or requesters did not get their mail.'
    severity: 2
    query: 'traces | where message startswith "mail {" | where tostring(parse_json(substring(message, 5)).result) in ("refused", "bounced") | extend mails = itemCount'
    column: 'mails'
    aggregation: 'Total'
    operator: 'GreaterThanOrEqual'
    threshold: mailFailuresPerHour
    frequency: 'PT15M'
    window: 'PT1H'
    endsByItself: true
  }
  {
    name: 'graph-refused'
    title: 'Microsoft Graph refuses the app'
    description: 'Graph answered 403: a permission is missing or was taken away, or a group is out of reach.'
    severity: 1
    query: 'traces | where message startswith "graph {" | where toint(parse_json(substring(message, 6)).status) == 403'
    aggregation: 'Count'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT5M'
    window: 'PT15M'
    endsByItself: true
  }
  {
    name: 'graph-throttled'
    title: 'Microsoft Graph throttles the app'
    description: 'Graph answered 429 more often than a busy hour explains. Nothing is lost; steps are late.'
    severity: 3
    query: 'traces | where message startswith "graph {" | where toint(parse_json(substring(message, 6)).status) == 429 | extend answers = itemCount'
    column: 'answers'
    aggregation: 'Total'
    operator: 'GreaterThanOrEqual'
    threshold: graphThrottledPerHour
    frequency: 'PT15M'
    window: 'PT1H'
    endsByItself: true
  }
  {
    name: 'sweeper-repairs'
    title: 'The sweeper repairs more than usual'
    description: 'Steps were due and not done: something crashes, is throttled or was lost.'
    severity: 2
    query: 'traces | where message startswith "sweeper {" | extend s = parse_json(substring(message, 8)) | extend repairs = (toint(s.started) + toint(s.woken) + toint(s.removed) + toint(s.failed)) * itemCount'
    column: 'repairs'
    aggregation: 'Total'
    operator: 'GreaterThanOrEqual'
    threshold: sweeperRepairsPerHour
    frequency: 'PT15M'
    window: 'PT1H'
    endsByItself: true
  }
  {
    name: 'sweeper-silent'
    title: 'The sweeper does not run'
    description: 'The minute timer has not succeeded for a quarter of an hour: nothing that crashed is mended.'
    severity: 1
    query: 'requests | where operation_Name == "sweeper" and success == true'
    aggregation: 'Count'
    operator: 'LessThan'
    threshold: 1
    frequency: 'PT5M'
    window: 'PT15M'
    endsByItself: true
  }
  {
    name: 'audit-copy-differs'
    title: 'The trail and its copy are not the same'
    description: 'An entry of the audit trail was changed after it was copied, or its copy was.'
    severity: 1
    query: 'traces | where message startswith "auditCopy {" | extend differing = toint(parse_json(substring(message, 10)).differing)'
    column: 'differing'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT15M'
    window: 'PT1H'
    endsByItself: false
  }
  {
    name: 'graph-permissions'
    title: 'The permissions on Microsoft Graph are not as needed'
    description: 'The identity lacks what joining needs, or can do what Gatehouse never does.'
    severity: 2
    query: 'traces | where message startswith "graph-permissions {"'
    aggregation: 'Count'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT1H'
    window: 'PT3H'
    endsByItself: true
  }
  {
    name: 'reconcile-late'
    title: 'The nightly reconcile does not end'
    description: 'No reconcile came to its end for two days: what was lost is not put back.'
    severity: 2
    query: 'traces | where message startswith "reconcile-late {"'
    aggregation: 'Count'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT1H'
    window: 'PT3H'
    endsByItself: true
  }
]

resource operations 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-gatehouse-${nameSuffix}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'gatehouse'
    emailReceivers: [
      for (address, index) in operationsEmails: {
        name: 'operations-${index + 1}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in queryAlerts: {
    name: 'gatehouse-${alert.name}-${nameSuffix}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Gatehouse: ${alert.title}'
      description: '${alert.description} Runbook: ${runbookUrl}#${alert.name}'
      enabled: true
      severity: alert.severity
      scopes: [insightsId]
      evaluationFrequency: alert.frequency
      windowSize: alert.window
      criteria: {
        allOf: [
          union(
            {
              query: alert.query
              timeAggregation: alert.aggregation
              operator: alert.operator
              threshold: alert.threshold
              failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
            },
            alert.?column == null ? {} : { metricMeasureColumn: alert.?column }
          )
        ]
      }
      autoMitigate: alert.endsByItself
      actions: {
        actionGroups: [operations.id]
        customProperties: { runbook: '${runbookUrl}#${alert.name}' }
      }
    }
  }
]

resource reportsLost 'Microsoft.Insights/metricAlerts@2026-01-01' = if (mailDeliveryReports) {
  name: 'gatehouse-mail-reports-lost-${nameSuffix}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid gave up on mail delivery reports: bounces go unnoticed. Runbook: ${runbookUrl}#mail-reports-lost'
    enabled: true
    severity: 2
    scopes: [mailDeliveryTopicId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'stored'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    autoMitigate: true
    actions: [
      { actionGroupId: operations.id, webHookProperties: { runbook: '${runbookUrl}#mail-reports-lost' } }
    ]
  }
}

output actionGroupId string = operations.id
