@description('Name of the Email Communication Service.')
param emailServiceName string

@description('Name of the Azure Communication Services resource.')
param name string

@description('Tags of every resource.')
param tags { *: string }

@description('Where mail data is kept at rest.')
@minLength(2)
param dataLocation string

@description('Own mail domain; empty for one that Azure gives.')
@maxLength(253)
param mailDomain string

@description('The own domain\'s DNS records were verified, so that it can be connected.')
param mailDomainVerified bool

@description('Local part of the sender in an own domain.')
@minLength(1)
@maxLength(64)
param senderUsername string

@description('Sender\'s name in an own domain.')
@minLength(1)
@maxLength(100)
param senderDisplayName string

@description('Workspace that gets the mail logs.')
param workspaceId string

@description('Log the outcome for each recipient. These logs hold mail addresses.')
param logRecipients bool

var managed = empty(mailDomain)

resource email 'Microsoft.Communication/emailServices@2026-03-18' = {
  name: emailServiceName
  location: 'global'
  tags: tags
  properties: { dataLocation: dataLocation }
}

resource domain 'Microsoft.Communication/emailServices/domains@2026-03-18' = {
  parent: email
  // Azure asks for this very name where it gives the domain
  name: managed ? 'AzureManagedDomain' : mailDomain
  location: 'global'
  tags: tags
  properties: {
    domainManagement: managed ? 'AzureManaged' : 'CustomerManaged'
    // tracking would rewrite the links in the mails
    userEngagementTracking: 'Disabled'
  }

  resource sender 'senderUsernames' = if (!managed) {
    name: senderUsername
    properties: { username: senderUsername, displayName: senderDisplayName }
  }
}

resource service 'Microsoft.Communication/communicationServices@2026-03-18' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    disableLocalAuth: true
    linkedDomains: managed || mailDomainVerified ? [domain.id] : []
  }
}

#disable-next-line use-recent-api-versions // the stable version knows one setting per resource only
resource mailDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: service
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'EmailSendMailOperational', enabled: true }
      { category: 'EmailStatusUpdateOperational', enabled: logRecipients }
    ]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = service.id
output endpoint string = 'https://${service.properties.hostName}'
output sender string = managed ? 'DoNotReply@${domain.properties.fromSenderDomain}' : '${senderUsername}@${mailDomain}'

@description('DNS records that prove the own domain, as JSON. They are public once they are set.')
output verificationRecords string = managed ? '{}' : string(domain.properties.verificationRecords)
