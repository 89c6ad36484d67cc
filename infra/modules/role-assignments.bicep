@description('Last part of every name.')
@minLength(3)
@maxLength(40)
param nameSuffix string

@description('Name of the app\'s identity.')
param appIdentityName string

@description('Principal of the app\'s identity.')
param appPrincipalId string

@description('Name of Event Grid\'s identity.')
param eventsIdentityName string

@description('Principal of Event Grid\'s identity; empty where there is none.')
param eventsPrincipalId string

@description('Event Grid delivers mail reports.')
param mailDeliveryReports bool

@description('Storage account of host and data.')
param dataAccountName string

@description('Storage account of the audit copy.')
param auditAccountName string

@description('Table of the audit copy.')
param auditTableName string

@description('Container for delivery reports that could not be delivered.')
param undeliveredReportsContainerName string

@description('Azure Communication Services resource.')
param communicationServiceName string

@description('Application Insights component.')
param insightsName string

@description('Orchestrations run on Durable Task Scheduler.')
param durableTaskScheduler bool

@description('Name of the scheduler.')
param schedulerName string

@description('Send mail under the built-in role, which may also delete the service, instead of the narrow one made here.')
param useBuiltInMailRole bool

var builtIn = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  communicationAndEmailServiceOwner: '09976791-48a7-449e-bb21-39d1a415f350'
  durableTaskDataContributor: '0ad04412-c4d5-4796-b79c-f76d14c8d402'
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2026-09-01' existing = {
  name: dataAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource undeliveredReports 'containers' existing = { name: undeliveredReportsContainerName }
  }
}

resource auditAccount 'Microsoft.Storage/storageAccounts@2026-09-01' existing = {
  name: auditAccountName

  resource tables 'tableServices' existing = {
    name: 'default'

    resource audit 'tables' existing = { name: auditTableName }
  }
}

resource communicationService 'Microsoft.Communication/communicationServices@2026-03-18' existing = {
  name: communicationServiceName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' existing = if (durableTaskScheduler) {
  name: schedulerName
}

@description('Adds rows and reads them, and can neither change nor delete one.')
resource auditWriter 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, nameSuffix, 'audit-writer')
  properties: {
    roleName: 'Gatehouse audit writer (${nameSuffix})'
    description: 'Adds rows to a table and reads them; can neither change nor delete one.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        dataActions: [
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action'
          'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'
        ]
      }
    ]
  }
}

@description('Azure has no role that only sends mail. These actions are what sending needs; deleting, and listing or renewing keys, are left out.')
resource mailSender 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (!useBuiltInMailRole) {
  name: guid(resourceGroup().id, nameSuffix, 'mail-sender')
  properties: {
    roleName: 'Gatehouse mail sender (${nameSuffix})'
    description: 'Sends mail through Azure Communication Services; can neither delete the service nor see its keys.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Communication/CommunicationServices/read'
          'Microsoft.Communication/CommunicationServices/write'
          'Microsoft.Communication/EmailServices/read'
          'Microsoft.Communication/EmailServices/write'
        ]
      }
    ]
  }
}

// The Functions host: deployment package, leases of the task hub's partitions, timer locks
resource hostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataAccount.id, appIdentityName, builtIn.storageBlobDataOwner)
  scope: dataAccount
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtIn.storageBlobDataOwner)
    description: 'Functions host: deployment package, leases of the task hub, timer locks.'
  }
}

// Durable Functions makes its queues itself
resource hostQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataAccount.id, appIdentityName, builtIn.storageQueueDataContributor)
  scope: dataAccount
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      builtIn.storageQueueDataContributor
    )
    description: 'Durable Functions: control and work-item queues of the task hub.'
  }
}

// Durable Functions makes its history and instance tables itself, beside the app's own
resource dataTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataAccount.id, appIdentityName, builtIn.storageTableDataContributor)
  scope: dataAccount
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      builtIn.storageTableDataContributor
    )
    description: 'Requests, links, memberships and policies; history and instances of the task hub.'
  }
}

resource auditCopy 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(auditAccount::tables::audit.id, appIdentityName, auditWriter.id)
  scope: auditAccount::tables::audit
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: auditWriter.id
    description: 'The copy of the audit trail: rows are added and read, never changed or deleted.'
  }
}

resource mail 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(
    communicationService.id,
    appIdentityName,
    useBuiltInMailRole ? builtIn.communicationAndEmailServiceOwner : 'mail-sender'
  )
  scope: communicationService
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: useBuiltInMailRole
      ? subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtIn.communicationAndEmailServiceOwner)
      : mailSender.id
    description: 'Sends the mails and asks for their state.'
  }
}

resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appIdentityName, builtIn.monitoringMetricsPublisher)
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      builtIn.monitoringMetricsPublisher
    )
    description: 'Writes telemetry; local authentication of the component is off.'
  }
}

resource undelivered 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (mailDeliveryReports) {
  name: guid(dataAccount::blobs::undeliveredReports.id, eventsIdentityName, builtIn.storageBlobDataContributor)
  scope: dataAccount::blobs::undeliveredReports
  properties: {
    principalId: eventsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      builtIn.storageBlobDataContributor
    )
    description: 'Event Grid: delivery reports that the app did not take.'
  }
}

resource orchestrations 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (durableTaskScheduler) {
  name: guid(scheduler.id, appIdentityName, builtIn.durableTaskDataContributor)
  scope: scheduler
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      builtIn.durableTaskDataContributor
    )
    description: 'Durable Functions: the task hub of the scheduler.'
  }
}
