@description('Region of the identities.')
param location string

@description('Name of the app\'s identity.')
param appName string

@description('Name of the identity under which storage reads its key.')
param encryptionName string

@description('Name of Event Grid\'s identity.')
param eventsName string

@description('Tags of every resource.')
param tags { *: string }

@description('Make the identity under which storage accounts read their encryption key.')
param customerManagedKeys bool

@description('Make the identity under which Event Grid stores reports that could not be delivered.')
param deliveryReports bool

@description('The app: storage, mail, telemetry, Microsoft Graph, and the client assertion of the sign-in pages. Used by nothing else.')
resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: appName
  location: location
  tags: tags
}

resource encryption 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = if (customerManagedKeys) {
  name: encryptionName
  location: location
  tags: tags
}

resource events 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = if (deliveryReports) {
  name: eventsName
  location: location
  tags: tags
}

output appId string = app.id
output appClientId string = app.properties.clientId
output appPrincipalId string = app.properties.principalId
output encryptionId string = customerManagedKeys ? encryption.id : ''
output encryptionPrincipalId string = encryption.?properties.principalId ?? ''
output eventsId string = deliveryReports ? events.id : ''
output eventsPrincipalId string = events.?properties.principalId ?? ''
