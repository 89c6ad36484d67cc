using 'main.bicep'

// What differs from one deployment to the next comes from the environment (azd env set …), so that a forgotten value stops the build instead of being guessed.
param apiClientId = readEnvironmentVariable('GATEHOUSE_API_CLIENT_ID')
param operationsEmails = split(readEnvironmentVariable('GATEHOUSE_OPERATIONS_EMAILS'), ',')
param runbookUrl = readEnvironmentVariable('GATEHOUSE_RUNBOOK_URL')
param mailDeliveryReports = bool(readEnvironmentVariable('GATEHOUSE_MAIL_DELIVERY_REPORTS', 'false'))

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')

// one zone and a mail domain from Azure are enough to try things out
param dataRedundancy = 'Standard_LRS'
param auditRedundancy = 'Standard_LRS'
param maximumInstanceCount = 10
param defaultPolicy = '{"optedIn":true}'
