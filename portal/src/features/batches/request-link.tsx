import { useQuery } from '@tanstack/react-query';
import { Navigate, useParams } from '@tanstack/react-router';
import { Page } from '../../ui/page.tsx';
import { Broken, Waiting } from '../../ui/states.tsx';
import { requestQuery } from './queries.ts';

/** A request by its id is a line of its batch. */
const RequestLink = () => {
  const { id } = useParams({ strict: false }) as { id: string };
  const request = useQuery(requestQuery(id));
  if (request.data)
    return <Navigate to={`/batches/${request.data.batch_id}`} search={{ tab: 'requests', line: String(request.data.line) }} replace />;
  return <Page title="Request">{request.error ? <Broken error={request.error} what="The request" /> : <Waiting rows={8} />}</Page>;
};

export default RequestLink;
