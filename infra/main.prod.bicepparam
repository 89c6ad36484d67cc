using 'main.bicep'

// What differs from one deployment to the next comes from the environment (azd env set …), so that a forgotten value stops the build instead of being guessed.
param apiClientId = readEnvironmentVariable('GATEHOUSE_API_CLIENT_ID')
param operationsEmails = split(readEnvironmentVariable('GATEHOUSE_OPERATIONS_EMAILS'), ',')
param runbookUrl = readEnvironmentVariable('GATEHOUSE_RUNBOOK_URL')
param publicBaseUrl = readEnvironmentVariable('GATEHOUSE_PUBLIC_BASE_URL', '')
param mailDomain = readEnvironmentVariable('GATEHOUSE_MAIL_DOMAIN')
param mailDomainVerified = bool(readEnvironmentVariable('GATEHOUSE_MAIL_DOMAIN_VERIFIED', 'false'))
param mailDeliveryReports = bool(readEnvironmentVariable('GATEHOUSE_MAIL_DELIVERY_REPORTS', 'false'))
param monthlyBudget = {
  amount: int(readEnvironmentVariable('GATEHOUSE_BUDGET'))
  startDate: readEnvironmentVariable('GATEHOUSE_BUDGET_START')
}

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'prod')

param dataRedundancy = 'Standard_ZRS'
param auditRedundancy = 'Standard_GZRS'
param lockAuditStorage = true
param logRetentionDays = 90
