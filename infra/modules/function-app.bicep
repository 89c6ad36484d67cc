@description('Region of plan and app.')
param location string

@description('Name of the app.')
@minLength(2)
@maxLength(60)
param name string

@description('Name of the plan.')
@minLength(1)
@maxLength(60)
param planName string

@description('Tags of every resource.')
param tags { *: string }

@description('Resource id of the app\'s identity.')
param identityId string

@description('Client id of the app\'s identity.')
param identityClientId string

@description('Container of the deployment package, as a URL.')
param deploymentContainerUrl string

@description('Version of Node.js.')
param nodeVersion ('22' | '24')

@description('Most instances at a time.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('Memory of an instance, in megabytes.')
param instanceMemoryMB (512 | 2048 | 4096)

@description('Instances that are kept warm, by scale group.')
param alwaysReady { name: ('http' | 'durable'), instanceCount: int }[]

@description('Subnet of the app\'s outgoing traffic; empty for none.')
param subnetId string

@description('Settings of host and app, without those made here.')
param settings { *: string }

@description('Where people reach the app; empty for the address that Azure gives.')
param publicBaseUrl string

@description('Component that gets the telemetry.')
param insightsName string

@description('Workspace that gets the platform\'s logs.')
param workspaceId string

@description('Tenant whose people sign in.')
param tenantId string

@description('Client id of the app registration that people sign in to.')
param apiClientId string

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // azd deploys the service `app` of azure.yaml to what carries this tag
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'node', version: nodeVersion }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstanceCount
        instanceMemoryMB: instanceMemoryMB
        alwaysReady: alwaysReady
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = { name: 'ftp', properties: { allow: false } }
  resource scm 'basicPublishingCredentialsPolicies' = { name: 'scm', properties: { allow: false } }

  // A resource of its own, so that a setting can hold the address that Azure gave
  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, {
      PUBLIC_BASE_URL: empty(publicBaseUrl) ? 'https://${app.properties.defaultHostName}' : publicBaseUrl
      // names the component and its region; nothing can be written with it while local authentication is off
      APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identityClientId
      WEBSITE_AUTH_AAD_ALLOWED_TENANTS: tenantId
    })
  }

  resource authentication 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true, runtimeVersion: '~1' }
      globalValidation: {
        // every door of the app decides itself whom it admits; a mail link must show its page before sign-in
        requireAuthentication: false
        unauthenticatedClientAction: 'AllowAnonymous'
        redirectToProvider: 'azureactivedirectory'
      }
      httpSettings: {
        requireHttps: true
        routes: { apiPrefix: '/.auth' }
        forwardProxy: { convention: 'NoProxy' }
      }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: apiClientId
            // no secret: this setting makes the platform sign its client assertion as the app's managed identity
            clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
            openIdIssuer: uri(environment().authentication.loginEndpoint, '${tenantId}/v2.0')
          }
          validation: {
            allowedAudiences: [apiClientId, 'api://${apiClientId}']
            defaultAuthorizationPolicy: { allowedApplications: [] }
          }
        }
      }
      login: {
        // the app acts as itself and needs no token of the person who signed in
        tokenStore: { enabled: false }
        preserveUrlFragmentsForLogins: false
        allowedExternalRedirectUrls: []
        cookieExpiration: { convention: 'FixedTime', timeToExpiration: '08:00:00' }
        nonce: { validateNonce: true, nonceExpirationInterval: '00:05:00' }
      }
    }
    dependsOn: [appSettings]
  }
}

#disable-next-line use-recent-api-versions // the stable version knows one setting per resource only
resource appDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: app
  properties: {
    workspaceId: workspaceId
    // also holds what happens before telemetry is up: a host that doesn't start
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = app.id
output name string = app.name
output hostName string = app.properties.defaultHostName
