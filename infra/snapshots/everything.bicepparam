using '../main.bicep'

// Every option on. Never deployed: it is here so that each option is compiled, predicted and tested.
param apiClientId = '11111111-1111-4111-8111-111111111111'
param operationsEmails = ['operations@contoso.example']
param runbookUrl = 'https://contoso.example/runbook'
param environmentName = 'every'
param tags = { costCenter: '4711' }
param publicBaseUrl = 'https://groups.contoso.example'
param nodeVersion = '24'
param alwaysReadyHttpInstances = 1
param alwaysReadyDurableInstances = 1
param durableTaskScheduler = true
param lockAuditStorage = true
param customerManagedKeys = true
param privateNetworking = true
param mailDomain = 'mail.contoso.example'
param mailDomainVerified = true
param useBuiltInMailRole = true
param logMailRecipients = true
param mailDeliveryReports = true
param monthlyBudget = { amount: 100, startDate: '2026-12-01' }
