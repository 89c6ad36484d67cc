@description('Region of the vault.')
param location string

@description('Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Tags of every resource.')
param tags { *: string }

@description('Refuse traffic that does not come through a private endpoint or from storage as a trusted service.')
param privateOnly bool

@description('Workspace that gets the audit log of the vault.')
param workspaceId string

@description('Name of the identity under which storage accounts use the key.')
param encryptionIdentityName string

@description('Principal of that identity.')
param encryptionPrincipalId string

var cryptoServiceEncryptionUser = 'e147488a-f6f5-4113-8e2d-b22465e65bf6'

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
    networkAcls: { bypass: 'AzureServices', defaultAction: privateOnly ? 'Deny' : 'Allow' }
  }

  resource storageKey 'keys' = {
    name: 'storage'
    properties: {
      kty: 'RSA'
      keySize: 3072
      keyOps: ['wrapKey', 'unwrapKey']
      attributes: { exportable: false }
      rotationPolicy: {
        attributes: { expiryTime: 'P2Y' }
        lifetimeActions: [
          { trigger: { timeAfterCreate: 'P1Y' }, action: { type: 'rotate' } }
          { trigger: { timeBeforeExpiry: 'P30D' }, action: { type: 'notify' } }
        ]
      }
    }
  }
}

// The only role assignment outside role-assignments.bicep: storage needs its key before it exists, every other role needs storage first.
resource storageMayUseItsKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault::storageKey.id, encryptionIdentityName, cryptoServiceEncryptionUser)
  scope: vault::storageKey
  properties: {
    principalId: encryptionPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', cryptoServiceEncryptionUser)
    description: 'Storage accounts wrap and unwrap their own key with this one.'
  }
}

#disable-next-line use-recent-api-versions // the stable version knows one setting per resource only
resource vaultDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output uri string = vault.properties.vaultUri
output keyName string = vault::storageKey.name
