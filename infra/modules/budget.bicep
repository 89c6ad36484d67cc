@description('Amount for a month, in the subscription\'s billing currency.')
@minValue(1)
param amount int

@description('First day of the first month, as yyyy-MM-01. Azure refuses a later change.')
@minLength(10)
@maxLength(10)
param startDate string

@description('Action group that is told.')
param actionGroupId string

resource budget 'Microsoft.Consumption/budgets@2026-06-01' = {
  name: 'gatehouse'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: startDate }
    notifications: {
      spent80: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: []
        contactGroups: [actionGroupId]
      }
      forecast100: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: []
        contactGroups: [actionGroupId]
      }
    }
  }
}
