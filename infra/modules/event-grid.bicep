@description('Name of the topic.')
param name string

@description('Tags of every resource.')
param tags { *: string }

@description('Azure Communication Services resource whose events are delivered.')
param communicationServiceName string

@description('Door of the app that takes the reports.')
param endpointUrl string

@description('Tenant of the app registration that protects the door.')
param tenantId string

@description('Client id of that app registration: the audience of the token that Event Grid sends.')
param apiClientId string

@description('Identity under which reports that could not be delivered are stored.')
param identityId string

@description('Storage account for those reports.')
param deadLetterAccountName string

@description('Container for those reports.')
param deadLetterContainerName string

@description('Workspace that gets the delivery failures.')
param workspaceId string

resource communicationService 'Microsoft.Communication/communicationServices@2026-03-18' existing = {
  name: communicationServiceName
}

resource deadLetterAccount 'Microsoft.Storage/storageAccounts@2026-09-01' existing = { name: deadLetterAccountName }

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: 'global'
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    source: communicationService.id
    topicType: 'Microsoft.Communication.CommunicationServices'
  }

  resource mailDelivery 'eventSubscriptions' = {
    name: 'mail-delivery'
    properties: {
      eventDeliverySchema: 'EventGridSchema'
      filter: { includedEventTypes: ['Microsoft.Communication.EmailDeliveryReportReceived'] }
      destination: {
        endpointType: 'WebHook'
        properties: {
          #disable-next-line use-secure-value-for-secure-inputs // an address without a key: the door asks for a token
          endpointUrl: endpointUrl
          azureActiveDirectoryTenantId: tenantId
          azureActiveDirectoryApplicationIdOrUri: apiClientId
          maxEventsPerBatch: 10
          preferredBatchSizeInKilobytes: 64
          minimumTlsVersionAllowed: '1.2'
        }
      }
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
      deadLetterWithResourceIdentity: {
        identity: { type: 'UserAssigned', userAssignedIdentity: identityId }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: { resourceId: deadLetterAccount.id, blobContainerName: deadLetterContainerName }
        }
      }
    }
  }
}

#disable-next-line use-recent-api-versions // the stable version knows one setting per resource only
resource topicDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: topic
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'DeliveryFailures', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output topicId string = topic.id
