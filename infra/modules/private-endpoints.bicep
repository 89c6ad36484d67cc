@export()
@description('A resource, and the part of it that gets a private address.')
type endpointTarget = {
  @description('Name of the storage account or vault.')
  resourceName: string
  @description('Name of the endpoint, without prefix and suffix.')
  name: string
  groupId: ('blob' | 'queue' | 'table' | 'vault')
}

@description('Region of the endpoints.')
param location string

@description('Last part of every name.')
@minLength(3)
@maxLength(40)
param nameSuffix string

@description('Tags of every resource.')
param tags { *: string }

@description('Network that looks the names up.')
param networkId string

@description('Subnet of the endpoints.')
param subnetId string

@description('What gets an endpoint.')
param targets endpointTarget[]

var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  // the suffix is that of a vault's address, with a dot first; the zone's name differs from it
  vault: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
}
var groupIds = union(map(targets, target => target.groupId), [])

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for groupId in groupIds: {
    name: zoneNames[groupId]
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (groupId, index) in groupIds: {
    parent: zones[index]
    name: 'gatehouse'
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2026-03-01' = [
  for target in targets: {
    name: 'pep-${target.name}-${nameSuffix}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: target.name
          properties: {
            groupIds: [target.groupId]
            privateLinkServiceId: resourceId(
              target.groupId == 'vault' ? 'Microsoft.KeyVault/vaults' : 'Microsoft.Storage/storageAccounts',
              target.resourceName
            )
          }
        }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2026-03-01' = [
  for (target, index) in targets: {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: target.groupId
          properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zoneNames[target.groupId]) }
        }
      ]
    }
    dependsOn: [zones]
  }
]
