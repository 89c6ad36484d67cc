@description('Region of the scheduler.')
param location string

@description('Name of the scheduler.')
param name string

@description('Tags of every resource.')
param tags { *: string }

@description('Name of the task hub.')
@minLength(3)
@maxLength(45)
param taskHubName string

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    // access is by Entra token and role only; there are no keys
    ipAllowlist: ['0.0.0.0/0']
    sku: { name: 'Consumption' }
  }

  resource hub 'taskHubs' = { name: taskHubName }
}

output endpoint string = scheduler.properties.endpoint
