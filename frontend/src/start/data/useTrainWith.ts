/** Hands a data file to the start page that trains on such rows. */
import { useDispatch } from 'react-redux'
import { useNavigate } from 'react-router'
import { fileAsked, fileHandedTo, type FileAsked } from '@/start/page/handoffSlice'

export function useTrainWith(): (file: FileAsked) => void {
  const dispatch = useDispatch()
  const navigate = useNavigate()
  return (file) => {
    dispatch(fileAsked(file))
    void navigate(fileHandedTo(file))
  }
}
