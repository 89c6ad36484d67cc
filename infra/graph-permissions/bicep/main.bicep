// NEVER COMPILED HERE: the extension comes from mcr.microsoft.com, which the project's checks don't reach. `npm run bicep` leaves this folder
// out. The way that is tested is ../grant.mjs; this is the same for those who want permissions in their templates. Takes Bicep 0.36.1 or later.
extension microsoftGraphV1

metadata name = 'Gatehouse: permissions on Microsoft Graph'
metadata description = 'Gives the app\'s identity what the chosen features need, and nothing else. Taking a feature out of the list takes nothing back: Bicep deletes nothing. Use ../grant.mjs --undo for that.'

targetScope = 'resourceGroup'

@description('Object id of the service principal of the app\'s managed identity: the output identityPrincipalId of ../../main.bicep.')
@minLength(36)
@maxLength(36)
param identityPrincipalId string

@description('Features that need permissions.')
param features ('join' | 'hidden' | 'own-groups' | 'naming' | 'cloud-managed')[] = ['join']

var permissionsByFeature = loadJsonContent('../features.json')
var permissions = union([], flatten(map(features, feature => permissionsByFeature[feature].permissions)))

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource assignments 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for permission in permissions: {
    principalId: identityPrincipalId
    resourceId: graph.id
    appRoleId: first(filter(graph.appRoles, role => role.value == permission))!.id
  }
]

output granted string[] = permissions
