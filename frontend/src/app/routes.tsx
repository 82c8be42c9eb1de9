/** Hash routes, so that the page works wherever it is served from. Each page loads when first opened. */
import { createHashRouter, Navigate, type RouteObject } from 'react-router'
import { RouteError } from '@/app/RouteError'
import { Shell } from '@/app/Shell'
import { SetupPage } from '@/start/page/SetupPage'

const compare = async () => ({
  Component: (await import('@/features/compare/ComparePage')).ComparePage,
})
const data = async () => ({
  Component: (await import('@/features/data/DataPage')).DataPage,
})
const models = async () => ({
  Component: (await import('@/features/models/ModelsPage')).ModelsPage,
})
const enhanced = async () => ({
  Component: (await import('@/start/page/EnhancedPage')).EnhancedPage,
})
const fusion = async () => ({
  Component: (await import('@/features/fusion/FusionPage')).FusionPage,
})
const training = async () => ({
  Component: (await import('@/features/training/TrainingPage')).TrainingPage,
})
const results = async () => ({
  Component: (await import('@/features/results/ResultsPage')).ResultsPage,
})
const compareRuns = async () => ({
  Component: (await import('@/features/results/compare/CompareRunsPage')).CompareRunsPage,
})
const session = async () => ({
  Component: (await import('@/features/results/session/SessionPage')).SessionPage,
})

const settings = async () => ({
  Component: (await import('@/features/settings/SettingsPage')).SettingsPage,
})

export const routes: RouteObject[] = [
  {
    element: <Shell />,
    errorElement: <RouteError />,
    children: [
      { index: true, element: <Navigate to="/setup" replace /> },
      {
        errorElement: <RouteError />,
        children: [
          { path: 'setup', element: <SetupPage /> },
          { path: 'enhanced-setup', lazy: enhanced },
          { path: 'training', lazy: training },
          { path: 'results', lazy: results },
          { path: 'compare', lazy: compare },
          { path: 'fusion', lazy: fusion },
          { path: 'data', lazy: data },
          { path: 'models', lazy: models },
          { path: 'results/compare', lazy: compareRuns },
          { path: 'results/:id', lazy: session },
          { path: 'settings', lazy: settings },
          { path: '*', element: <Navigate to="/setup" replace /> },
        ],
      },
    ],
  },
]

export function makeRouter() {
  return createHashRouter(routes)
}
