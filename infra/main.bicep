metadata name = 'Gatehouse'
metadata description = 'Everything that Gatehouse needs in one resource group: app, storage, mail, monitoring, roles. No secret is made, stored or given out.'

targetScope = 'resourceGroup'

type budgetForAMonth = {
  @description('In the subscription\'s billing currency.')
  @minValue(1)
  amount: int
  @description('First day of the first month, as yyyy-MM-01. Azure refuses a later change.')
  @minLength(10)
  @maxLength(10)
  startDate: string
}

// --- Where and what ---------------------------------------------------------------------------------------------------------

@description('Region of everything that has one.')
param location string = resourceGroup().location

@description('Name of the environment; part of every name.')
@minLength(2)
@maxLength(12)
param environmentName string

@description('Tags for every resource, beside those that are always set.')
param tags { *: string } = {}

// --- App --------------------------------------------------------------------------------------------------------------------

@description('Tenant whose people and groups these are.')
@minLength(36)
@maxLength(36)
param tenantId string = tenant().tenantId

@description('Client id of Gatehouse\'s app registration.')
@minLength(36)
@maxLength(36)
param apiClientId string

@description('Where people reach the app, without a slash at the end; empty for the address that Azure gives. The domain itself is bound outside of this template.')
@maxLength(200)
param publicBaseUrl string = ''

@description('The policy in force until an administrator writes one, as JSON (docs/policies.md).')
@minLength(2)
@maxLength(4000)
param defaultPolicy string = '{}'

@description('Groups that can\'t be joined whatever their policy says: object ids, or display names with *.')
@maxLength(100)
param protectedGroups string[] = []

@description('One attempt of a call to Microsoft Graph, mail, tables, the managed identity or the durable engine may take so many seconds.')
@minValue(1)
@maxValue(60)
param callTimeoutSeconds int = 10

@description('Histories of finished workflows are kept for so many days; requests and their trail stay.')
@minValue(1)
@maxValue(365)
param historyRetentionDays int = 30

@description('Client ids of the apps whose tokens count; none: every app of the tenant that has a role.')
@maxLength(100)
param allowedClients string[] = []

@description('With strict, features that need more Graph permissions than joining does are off, whatever was granted.')
param graphPermissions ('strict' | 'lenient') = 'lenient'

@description('Join requests that one system may file in an hour.')
@minValue(1)
@maxValue(1000000)
param limitPerApp int = 2000

@description('Join requests that may be filed for or by one person in an hour.')
@minValue(1)
@maxValue(1000000)
param limitPerPerson int = 20

@description('Join requests that may be filed for one group in an hour.')
@minValue(1)
@maxValue(1000000)
param limitPerGroup int = 200

@description('Task hub of Durable Functions: letters and digits. Another name starts an empty hub; open requests are then taken up by the sweeper.')
@minLength(3)
@maxLength(45)
param taskHubName string = 'Gatehouse'

@description('Version of Node.js.')
param nodeVersion ('22' | '24') = '22'

@description('Most instances at a time.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Memory of an instance, in megabytes.')
param instanceMemoryMB (512 | 2048 | 4096) = 2048

@description('Instances that are always warm for pages and API. Each is billed all the time.')
@minValue(0)
@maxValue(20)
param alwaysReadyHttpInstances int = 0

@description('Instances that are always warm for orchestrations and activities. Each is billed all the time.')
@minValue(0)
@maxValue(20)
param alwaysReadyDurableInstances int = 0

@description('Run orchestrations on Durable Task Scheduler instead of Azure Storage. Running orchestrations don\'t move; the sweeper starts them again.')
param durableTaskScheduler bool = false

@description('Address of Microsoft Graph; another one in national clouds.')
param graphEndpoint string = 'https://graph.microsoft.com'

@description('Issuer of version 1.0 tokens, without the tenant; another one in national clouds.')
param authorityV1Issuer string = 'https://sts.windows.net'

// --- Storage ----------------------------------------------------------------------------------------------------------------

@description('Copies of requests, trail and task hub.')
param dataRedundancy ('Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS') = 'Standard_ZRS'

@description('Copies of the audit copy.')
param auditRedundancy ('Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS') = 'Standard_ZRS'

@description('Protect the account of the audit copy against deletion.')
param lockAuditStorage bool = false

@description('Encrypt storage with a key in a Key Vault of one\'s own. Tables and queues take it only at the accounts\' creation, so decide before the first deployment.')
param customerManagedKeys bool = false

// --- Network ----------------------------------------------------------------------------------------------------------------

@description('Reach storage (and the vault) through private endpoints only, and go out through a fixed address. The app itself stays reachable: mail links and Event Grid come from outside.')
param privateNetworking bool = false

@description('Address range of the network, /24 or larger.')
@minLength(9)
@maxLength(18)
param networkAddressPrefix string = '10.80.0.0/24'

// --- Mail -------------------------------------------------------------------------------------------------------------------

@description('Where mail data is kept at rest. Can\'t be changed later.')
param mailDataLocation (
  | 'Africa'
  | 'Asia Pacific'
  | 'Australia'
  | 'Brazil'
  | 'Canada'
  | 'Europe'
  | 'France'
  | 'Germany'
  | 'India'
  | 'Japan'
  | 'Korea'
  | 'Norway'
  | 'Switzerland'
  | 'UAE'
  | 'UK'
  | 'United States') = 'Europe'

@description('Own mail domain; empty for one that Azure gives. Azure\'s domain sends a few mails an hour: for trying out only.')
@maxLength(253)
param mailDomain string = ''

@description('The DNS records of the own mail domain were verified. Leave false at the first deployment: Azure refuses to connect an unverified domain.')
param mailDomainVerified bool = false

@description('Local part of the sender in an own domain.')
@minLength(1)
@maxLength(64)
param mailSenderUsername string = 'gatehouse'

@description('Sender\'s name in an own domain.')
@minLength(1)
@maxLength(100)
param mailSenderDisplayName string = 'Gatehouse'

@description('Mails that Azure Communication Services takes in a minute from an own domain, as agreed with Azure. A domain that Azure gives takes 5.')
@minValue(1)
@maxValue(1000000)
param mailPerMinute int = 30

@description('Mails that it takes in an hour from an own domain. A domain that Azure gives takes 10.')
@minValue(1)
@maxValue(10000000)
param mailPerHour int = 100

@description('Send mail under Azure\'s built-in role, should the narrow one made here not be enough. The built-in one may also delete the mail service.')
param useBuiltInMailRole bool = false

@description('Log the outcome of every mail for every recipient. These logs hold mail addresses.')
param logMailRecipients bool = false

@description('Let Event Grid tell the app of bounces. Turn on once the app is deployed: the subscription is made only when its door answers.')
param mailDeliveryReports bool = false

// --- Operations -------------------------------------------------------------------------------------------------------------

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Who gets a mail when an alert fires or ends.')
@minLength(1)
@maxLength(20)
param operationsEmails string[]

@description('The runbook; each alert links to its own section in it.')
@minLength(1)
@maxLength(500)
param runbookUrl string

@description('Days after which the oldest open request raises an alert. Longer than the longest policy\'s deadlines.')
@minValue(1)
@maxValue(365)
param oldestOpenRequestDays int = 21

@description('Refused or bounced mails in an hour that raise an alert.')
@minValue(1)
@maxValue(10000)
param mailFailuresPerHour int = 3

@description('Answers 429 from Microsoft Graph in an hour that raise an alert.')
@minValue(1)
@maxValue(100000)
param graphThrottledPerHour int = 20

@description('Repairs by the sweeper in an hour that raise an alert.')
@minValue(1)
@maxValue(10000)
param sweeperRepairsPerHour int = 20

@description('Budget for a month; null for none.')
param monthlyBudget budgetForAMonth?

// --- Names ------------------------------------------------------------------------------------------------------------------

var unique = uniqueString(subscription().id, resourceGroup().id, environmentName)
var nameSuffix = '${environmentName}-${unique}'
var allTags = union(tags, { application: 'gatehouse', environment: environmentName, 'azd-env-name': environmentName })

// One table of names, known before anything is deployed: what-if and snapshots can then tell every resource
var names = {
  appIdentity: 'id-gatehouse-${nameSuffix}'
  encryptionIdentity: 'id-gatehouse-encryption-${nameSuffix}'
  eventsIdentity: 'id-gatehouse-events-${nameSuffix}'
  workspace: 'log-gatehouse-${nameSuffix}'
  insights: 'appi-gatehouse-${nameSuffix}'
  dataStorage: 'stgatedata${unique}'
  auditStorage: 'stgateaudit${unique}'
  vault: 'kv-gate-${unique}'
  emailService: 'acsm-gatehouse-${nameSuffix}'
  communication: 'acs-gatehouse-${nameSuffix}'
  scheduler: 'dts-gatehouse-${nameSuffix}'
  topic: 'evgt-gatehouse-${nameSuffix}'
  workbook: guid(resourceGroup().id, environmentName, 'operations')
  plan: 'plan-gatehouse-${nameSuffix}'
  app: 'func-gatehouse-${nameSuffix}'
}

var deploymentContainer = 'app-package'
var undeliveredReportsContainer = 'undelivered-mail-reports'
var auditTable = 'audit'

// --- Resources --------------------------------------------------------------------------------------------------------------

module identity 'modules/identity.bicep' = {
  params: {
    location: location
    appName: names.appIdentity
    encryptionName: names.encryptionIdentity
    eventsName: names.eventsIdentity
    tags: allTags
    customerManagedKeys: customerManagedKeys
    deliveryReports: mailDeliveryReports
  }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    location: location
    workspaceName: names.workspace
    insightsName: names.insights
    tags: allTags
    retentionDays: logRetentionDays
  }
}

module keyVault 'modules/key-vault.bicep' = if (customerManagedKeys) {
  params: {
    location: location
    name: names.vault
    tags: allTags
    privateOnly: privateNetworking
    workspaceId: monitoring.outputs.workspaceId
    encryptionIdentityName: names.encryptionIdentity
    encryptionPrincipalId: identity.outputs.encryptionPrincipalId
  }
}

var encryptionKey = customerManagedKeys
  ? {
      identityId: identity.outputs.encryptionId
      vaultUri: keyVault!.outputs.uri
      keyName: keyVault!.outputs.keyName
    }
  : null

@description('The Functions host\'s own storage, the task hub, and the app\'s tables.')
module dataStorage 'modules/storage.bicep' = {
  params: {
    location: location
    name: names.dataStorage
    tags: allTags
    redundancy: dataRedundancy
    // the tables of shared/records/tables.ts
    tables: [
      'requests'
      'open'
      'claims'
      'links'
      'memberships'
      'policies'
      'desks'
      'mails'
      'quota'
      'limits'
      'uncopied'
      'openbyage'
      'bysubject'
      'operations'
    ]
    containers: [
      { name: deploymentContainer, deleteAfterDays: 0 }
      // they hold mail addresses
      { name: undeliveredReportsContainer, deleteAfterDays: 30 }
    ]
    privateOnly: privateNetworking
    encryptionKey: encryptionKey
    workspaceId: monitoring.outputs.workspaceId
    loggedTableOperations: ['StorageDelete']
  }
}

@description('The copy of the audit trail, out of reach of those who may change the data.')
module auditStorage 'modules/storage.bicep' = {
  params: {
    location: location
    name: names.auditStorage
    tags: allTags
    redundancy: auditRedundancy
    tables: [auditTable]
    privateOnly: privateNetworking
    encryptionKey: encryptionKey
    workspaceId: monitoring.outputs.workspaceId
    loggedTableOperations: ['StorageRead', 'StorageWrite', 'StorageDelete']
    lock: lockAuditStorage
  }
}

module communication 'modules/communication.bicep' = {
  params: {
    emailServiceName: names.emailService
    name: names.communication
    tags: allTags
    dataLocation: mailDataLocation
    mailDomain: mailDomain
    mailDomainVerified: mailDomainVerified
    senderUsername: mailSenderUsername
    senderDisplayName: mailSenderDisplayName
    workspaceId: monitoring.outputs.workspaceId
    logRecipients: logMailRecipients
  }
}

module scheduler 'modules/durable-task-scheduler.bicep' = if (durableTaskScheduler) {
  params: {
    location: location
    name: names.scheduler
    tags: allTags
    taskHubName: taskHubName
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  params: {
    location: location
    nameSuffix: nameSuffix
    tags: allTags
    addressPrefix: networkAddressPrefix
  }
}

module privateEndpoints 'modules/private-endpoints.bicep' = if (privateNetworking) {
  params: {
    location: location
    nameSuffix: nameSuffix
    tags: allTags
    networkId: network!.outputs.networkId
    subnetId: network!.outputs.endpointSubnetId
    targets: concat(
      [
        { name: 'data-blob', resourceName: names.dataStorage, groupId: 'blob' }
        { name: 'data-queue', resourceName: names.dataStorage, groupId: 'queue' }
        { name: 'data-table', resourceName: names.dataStorage, groupId: 'table' }
        { name: 'audit-table', resourceName: names.auditStorage, groupId: 'table' }
      ],
      customerManagedKeys ? [{ name: 'vault', resourceName: names.vault, groupId: 'vault' }] : []
    )
  }
  dependsOn: [dataStorage, auditStorage, keyVault]
}

module roleAssignments 'modules/role-assignments.bicep' = {
  params: {
    nameSuffix: nameSuffix
    appIdentityName: names.appIdentity
    appPrincipalId: identity.outputs.appPrincipalId
    eventsIdentityName: names.eventsIdentity
    eventsPrincipalId: identity.outputs.eventsPrincipalId
    dataAccountName: names.dataStorage
    auditAccountName: names.auditStorage
    auditTableName: auditTable
    undeliveredReportsContainerName: undeliveredReportsContainer
    communicationServiceName: names.communication
    insightsName: names.insights
    durableTaskScheduler: durableTaskScheduler
    schedulerName: names.scheduler
    mailDeliveryReports: mailDeliveryReports
    useBuiltInMailRole: useBuiltInMailRole
  }
  dependsOn: [dataStorage, auditStorage, communication, monitoring, scheduler]
}

// Which backend the host uses stands in host.json; these settings override it there
var schedulerSettings = durableTaskScheduler
  ? {
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER'
      DURABLE_TASK_SCHEDULER: 'Endpoint=${scheduler!.outputs.endpoint};Authentication=ManagedIdentity;ClientID=${identity.outputs.appClientId}'
    }
  : {}

module functionApp 'modules/function-app.bicep' = {
  params: {
    location: location
    name: names.app
    planName: names.plan
    tags: allTags
    identityId: identity.outputs.appId
    identityClientId: identity.outputs.appClientId
    deploymentContainerUrl: '${dataStorage.outputs.blobEndpoint}${deploymentContainer}'
    nodeVersion: nodeVersion
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    alwaysReady: concat(
      alwaysReadyHttpInstances > 0 ? [{ name: 'http', instanceCount: alwaysReadyHttpInstances }] : [],
      alwaysReadyDurableInstances > 0 ? [{ name: 'durable', instanceCount: alwaysReadyDurableInstances }] : []
    )
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    publicBaseUrl: publicBaseUrl
    insightsName: names.insights
    workspaceId: monitoring.outputs.workspaceId
    tenantId: tenantId
    apiClientId: apiClientId
    settings: union(
      {
        // the Functions host
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__clientId: identity.outputs.appClientId
        AzureWebJobsStorage__blobServiceUri: dataStorage.outputs.blobEndpoint
        AzureWebJobsStorage__queueServiceUri: dataStorage.outputs.queueEndpoint
        AzureWebJobsStorage__tableServiceUri: dataStorage.outputs.tableEndpoint
        TASKHUB_NAME: taskHubName
        // the app: shared/config.ts
        TENANT_ID: tenantId
        AUTHORITY_HOST: environment().authentication.loginEndpoint
        AUTHORITY_V1_ISSUER: authorityV1Issuer
        API_CLIENT_ID: apiClientId
        AZURE_CLIENT_ID: identity.outputs.appClientId
        GRAPH_ENDPOINT: graphEndpoint
        GRAPH_SCOPE: '${graphEndpoint}/.default'
        TABLES_ENDPOINT: dataStorage.outputs.tableEndpoint
        AUDIT_TABLES_ENDPOINT: auditStorage.outputs.tableEndpoint
        MAIL_ENDPOINT: communication.outputs.endpoint
        MAIL_SENDER: communication.outputs.sender
        MAIL_PER_MINUTE: string(empty(mailDomain) ? 5 : mailPerMinute)
        MAIL_PER_HOUR: string(empty(mailDomain) ? 10 : mailPerHour)
        LIMIT_PER_APP: string(limitPerApp)
        LIMIT_PER_PERSON: string(limitPerPerson)
        LIMIT_PER_GROUP: string(limitPerGroup)
        PROTECTED_GROUPS: join(protectedGroups, ',')
        CALL_TIMEOUT: 'PT${callTimeoutSeconds}S'
        HISTORY_RETENTION: 'P${historyRetentionDays}D'
        ALLOWED_CLIENTS: join(allowedClients, ',')
        GRAPH_PERMISSIONS: graphPermissions
        DEFAULT_POLICY: defaultPolicy
      },
      schedulerSettings
    )
  }
  // the app finds its permissions when it first starts
  dependsOn: [roleAssignments, privateEndpoints]
}

module eventGrid 'modules/event-grid.bicep' = if (mailDeliveryReports) {
  params: {
    name: names.topic
    tags: allTags
    communicationServiceName: names.communication
    endpointUrl: 'https://${functionApp.outputs.hostName}/api/hooks/mail-delivery'
    tenantId: tenantId
    apiClientId: apiClientId
    identityId: identity.outputs.eventsId
    deadLetterAccountName: names.dataStorage
    deadLetterContainerName: undeliveredReportsContainer
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [roleAssignments]
}

module alerts 'modules/alerts.bicep' = {
  params: {
    location: location
    nameSuffix: nameSuffix
    tags: allTags
    insightsId: monitoring.outputs.insightsId
    operationsEmails: operationsEmails
    runbookUrl: runbookUrl
    oldestOpenRequestDays: oldestOpenRequestDays
    mailFailuresPerHour: mailFailuresPerHour
    graphThrottledPerHour: graphThrottledPerHour
    sweeperRepairsPerHour: sweeperRepairsPerHour
    mailDeliveryReports: mailDeliveryReports
    mailDeliveryTopicId: mailDeliveryReports ? eventGrid!.outputs.topicId : ''
  }
}

module workbook 'modules/workbook.bicep' = {
  params: {
    location: location
    name: names.workbook
    tags: allTags
    insightsId: monitoring.outputs.insightsId
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget != null) {
  params: {
    amount: monthlyBudget!.amount
    startDate: monthlyBudget!.startDate
    actionGroupId: alerts.outputs.actionGroupId
  }
}

// --- Outputs: names and addresses, nothing secret ---------------------------------------------------------------------------

@description('Name of the function app.')
output functionAppName string = functionApp.outputs.name

@description('Where the app answers.')
output functionAppHostName string = functionApp.outputs.hostName

@description('Redirect URI for the app registration.')
output signInRedirectUri string = 'https://${functionApp.outputs.hostName}/.auth/login/aad/callback'

@description('Principal that gets the Graph permissions, and subject of the app registration\'s federated credential.')
output identityPrincipalId string = identity.outputs.appPrincipalId

@description('Issuer of the app registration\'s federated credential.')
output federatedCredentialIssuer string = uri(environment().authentication.loginEndpoint, '${tenantId}/v2.0')

@description('Sender of the mails.')
output mailSender string = communication.outputs.sender

@description('DNS records that verify an own mail domain; empty for one that Azure gives.')
output mailDomainRecords string = communication.outputs.verificationRecords
