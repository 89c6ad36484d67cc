@export()
@description('A key of the customer, and the identity that may read it.')
type customerManagedKey = {
  identityId: string
  vaultUri: string
  keyName: string
}

@description('Region of the account.')
param location string

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Tags of every resource.')
param tags { *: string }

@description('How many copies are kept, and where.')
param redundancy ('Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS')

@description('Tables to make.')
param tables string[]

@description('Blob containers to make, and the days after which blobs in them are deleted (0: never).')
param containers { name: string, deleteAfterDays: int }[] = []

@description('Refuse traffic that does not come through a private endpoint.')
param privateOnly bool

@description('Encrypt with the customer\'s key. Tables and queues take it at the account\'s creation only.')
param encryptionKey customerManagedKey?

@description('Workspace that gets metrics and table logs.')
param workspaceId string

@description('Table operations that are logged.')
param loggedTableOperations ('StorageRead' | 'StorageWrite' | 'StorageDelete')[]

@description('Protect the account against deletion.')
param lock bool = false

resource account 'Microsoft.Storage/storageAccounts@2026-09-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: redundancy }
  kind: 'StorageV2'
  identity: encryptionKey == null
    ? { type: 'None' }
    : { type: 'UserAssigned', userAssignedIdentities: { '${encryptionKey!.identityId}': {} } }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
    networkAcls: {
      // Event Grid's undelivered reports come in as a trusted service
      bypass: 'AzureServices'
      defaultAction: privateOnly ? 'Deny' : 'Allow'
    }
    encryption: encryptionKey == null
      ? { keySource: 'Microsoft.Storage', requireInfrastructureEncryption: true }
      : {
          keySource: 'Microsoft.Keyvault'
          requireInfrastructureEncryption: true
          identity: { userAssignedIdentity: encryptionKey!.identityId }
          // without a version, a rotated key is taken up by itself
          keyvaultproperties: { keyvaulturi: encryptionKey!.vaultUri, keyname: encryptionKey!.keyName }
          services: {
            blob: { enabled: true, keyType: 'Account' }
            queue: { enabled: true, keyType: 'Account' }
            table: { enabled: true, keyType: 'Account' }
          }
        }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 14 }
      containerDeleteRetentionPolicy: { enabled: true, days: 14 }
    }

    resource made 'containers' = [
      for container in containers: {
        name: container.name
        properties: { publicAccess: 'None' }
      }
    ]
  }

  resource queueService 'queueServices' = { name: 'default' }

  resource tableService 'tableServices' = {
    name: 'default'

    resource made 'tables' = [for table in tables: { name: table }]
  }

  resource lifecycle 'managementPolicies' = if (!empty(filter(containers, container => container.deleteAfterDays > 0))) {
    name: 'default'
    properties: {
      policy: {
        rules: map(filter(containers, container => container.deleteAfterDays > 0), container => {
          name: 'delete-${container.name}'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['${container.name}/'] }
            actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: container.deleteAfterDays } } }
          }
        })
      }
    }
  }
}

#disable-next-line use-recent-api-versions // the stable version knows one setting per resource only
resource tableDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: account::tableService
  properties: {
    workspaceId: workspaceId
    logs: [for operation in loggedTableOperations: { category: operation, enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

#disable-next-line use-recent-api-versions // the stable version knows one setting per resource only
resource queueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: account::queueService
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

#disable-next-line use-recent-api-versions // the stable version knows one setting per resource only
resource blobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: account::blobs
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource deletionLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  name: 'keep-the-record'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the copy of the audit trail. Remove this lock only with the consent of those who audit.'
  }
}

output blobEndpoint string = account.properties.primaryEndpoints.blob
output queueEndpoint string = account.properties.primaryEndpoints.queue
output tableEndpoint string = account.properties.primaryEndpoints.table
