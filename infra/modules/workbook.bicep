@description('Region of the workbook.')
param location string

@description('Name of the workbook: a GUID.')
@minLength(36)
@maxLength(36)
param name string

@description('Tags of every resource.')
param tags { *: string }

@description('Application Insights component that the workbook reads.')
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Gatehouse operations'
    category: 'workbook'
    sourceId: insightsId
    serializedData: string(loadJsonContent('../workbooks/operations.json'))
  }
}
